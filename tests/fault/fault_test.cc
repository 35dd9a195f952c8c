// Seeded runs of the whole agent against the whole simulator, with everything going wrong that
// does: nothing is lost, nothing is there twice, and every alert is raised once.

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/fault/run.h"

namespace picket::fault {
namespace {

constexpr std::uint64_t kShards = 10;
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr std::uint64_t kSeedsOfAShard = 1;  // `scripts/bench faults` runs more
#else
constexpr std::uint64_t kSeedsOfAShard = 10;
#endif

class FaultTest : public testing::TestWithParam<std::uint64_t> {};

TEST_P(FaultTest, LosesNothingDoublesNothingAndAlertsOnce) {
  Strikes struck;
  for (std::uint64_t i = 0; i < kSeedsOfAShard; ++i) {
    const std::uint64_t seed = 1 + GetParam() * kSeedsOfAShard + i;
    const RunReport report = RunSeed(seed);
    EXPECT_TRUE(report.failures.empty()) << Explain(seed, report);
    EXPECT_GT(report.events, 150U) << "seed " << seed << " compared too little";
    EXPECT_GT(report.findings, 5U) << "seed " << seed << " compared too little";
    EXPECT_GE(report.late_risks, 5U) << "seed " << seed;
    for (const auto& [kind, count] : report.struck) struck[kind] += count;
  }
  if (kSeedsOfAShard < 10) return;
  for (const std::string& kind : MissingKinds(struck)) {
    ADD_FAILURE() << "in these seeds there never was: " << kind;
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, FaultTest, testing::Range<std::uint64_t>(0, kShards));

}  // namespace
}  // namespace picket::fault
