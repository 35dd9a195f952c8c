// Random queries over random small tables: the engine's answers against those of a second, plain
// evaluator. A failure names its seed:
//   PICKET_KQL_SEED    the first seed (default 1)
//   PICKET_KQL_QUERIES how many queries in all (default 100,000)

#include <gtest/gtest.h>

#include <cstdlib>

#include "tests/kql/manner_tables.h"
#include "tests/kql/oracle/check.h"

namespace picket::kql::oracle {
namespace {

std::uint64_t FromEnvironment(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

// Nothing, or both answers.
std::optional<std::string> Disagreement(const Case& made, Dice& dice) {
  std::map<std::string, ResultTable> tables;
  for (const auto& [name, table] : made.program.tables) tables[name] = ForEngine(table);
  MannerTables source(std::move(tables));
  source.manner = {.skips = dice.Once(2), .coded = dice.Once(2), .dear_dynamics = dice.Once(2)};
  const std::string query = Print(made.program);
  const CompileResult compiled = Compile(query, source);
  if (!compiled.query) return "the engine refuses it: " + ToString(compiled.errors.at(0));
  const auto result =
      Run(*compiled.query, source,
          {.now = kNow, .batch_rows = dice.Once(2) ? 1024 : 1 + dice.Below(7), .stop = {}});
  if (!result) return "the engine fails: " + result.error().message;
  return Difference(made.answer, *result);
}

std::string TablesOf(const Program& program) {
  std::string text;
  for (const auto& [name, table] : program.tables) {
    if (Print(program).find(name) != std::string::npos) {
      text += "\n  " + name + ": " + ToString(table);
    }
  }
  return text;
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
    ADD_FAILURE() << "seed " << seed << ": " << Print(made.program) << "\n"
                  << *difference << TablesOf(made.program);
    if (++differences == 5) break;
  }
}

INSTANTIATE_TEST_SUITE_P(Shards, Oracle, testing::Range(0, kShards));

}  // namespace
}  // namespace picket::kql::oracle
