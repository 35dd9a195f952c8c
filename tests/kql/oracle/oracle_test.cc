// Random queries over random small tables: the engine's answers against those of a second, plain
// evaluator. A failure names its seed:
//   PICKET_KQL_SEED    the first seed (default 1)
//   PICKET_KQL_QUERIES how many queries in all (default 100,000)

#include <gtest/gtest.h>

#include <cstdlib>

#include "tests/kql/oracle/check.h"

namespace picket::kql::oracle {
namespace {

std::uint64_t FromEnvironment(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

constexpr int kShards = 8;

class Oracle : public testing::TestWithParam<int> {};

TEST_P(Oracle, AgreesWithTheEngine) {
  const std::uint64_t queries = FromEnvironment("PICKET_KQL_QUERIES", 100'000);
  const std::uint64_t first = FromEnvironment("PICKET_KQL_SEED", 1);
  int differences = 0;
  for (std::uint64_t seed = first + static_cast<std::uint64_t>(GetParam()); seed < first + queries;
       seed += kShards) {
    Dice dice(seed);
    const Case made = MakeCase(dice);
    const std::optional<std::string> difference = Disagreement(made, dice);
    if (!difference) continue;
    ADD_FAILURE() << "seed " << seed << ": " << *difference;
    if (++differences == 5) break;
  }
}

INSTANTIATE_TEST_SUITE_P(Shards, Oracle, testing::Range(0, kShards));

}  // namespace
}  // namespace picket::kql::oracle
