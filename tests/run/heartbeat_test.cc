// The heartbeat tells a monitor that every stream of every tenant is read up to now: it stays out
// in the round that fails, and in those that ask for nothing because of it.

#include "base/files.h"
#include "tests/base/loopback_server.h"
#include "tests/run/run_fixture.h"

namespace picket::run {
namespace {

using simulator::FaultKind;

class HeartbeatTest : public AgentTest {
 protected:
  void SetUp() override {
    AgentTest::SetUp();
    settings_.heartbeat_url = monitor_.Url("/beat");
    for (const Guid& tenant : {a_, b_}) Emit(tenant, 10, SystemClock().Now());
  }
  // One round of an agent that begins so long after the test did.
  std::map<std::string, TenantOutcome> Round(Timespan later = {}) {
    std::map<std::string, TenantOutcome> outcomes;
    SystemClock clock(later);
    auto agent = Agent::Open(settings_, clock, /*clock_is_set=*/true);
    EXPECT_TRUE(agent) << (agent ? "" : agent.error().message);
    if (!agent) return outcomes;
    counts_ = (*agent)->Once(
        {.all_streams = true},
        [&](const TenantOutcome& outcome) { outcomes[outcome.tenant] = outcome; }, {});
    return outcomes;
  }
  void Meet(const Guid& tenant, const std::string& path, FaultKind kind) {
    simulator_.faults().Add({.tenant = ToString(tenant),
                             .path = path,
                             .count = 1'000'000,
                             .fault = {.kind = kind, .retry_after = "300"}});
  }

  std::atomic<int> beats_ = 0;
  LoopbackServer monitor_{[this](Peer& peer, int) {
    for (std::string request; !(request = peer.ReadRequest()).empty();) {
      if (request.starts_with("GET /beat ")) ++beats_;
      if (!peer.Write(Reply(""))) return;
    }
  }};
  RoundCounts counts_;
};

TEST_F(HeartbeatTest, ComesAfterEachRoundInWhichAllIsWell) {
  for (const auto& [tenant, outcome] : Round()) EXPECT_TRUE(outcome.well) << tenant;
  EXPECT_EQ(beats_, 1);
  Round(kMinute * 10);
  EXPECT_EQ(beats_, 2);
}

TEST_F(HeartbeatTest, StaysOutWhileAFailureHoldsAStreamBackAndComesAgainWhenItIsRead) {
  Round();
  ASSERT_EQ(beats_, 1);
  Meet(a_, "signIns", FaultKind::kMissingRole);
  auto failed = Round(kMinute * 10);
  ASSERT_FALSE(failed.at("a").failures.empty());
  EXPECT_FALSE(failed.at("a").well);
  EXPECT_TRUE(failed.at("b").well);
  // Nothing is asked of Graph, and nothing fails; yet nothing is well.
  auto held = Round(kMinute * 11);
  EXPECT_TRUE(held.at("a").failures.empty());
  EXPECT_EQ(held.at("a").polled.requests, 0);
  EXPECT_FALSE(held.at("a").well);
  ASSERT_EQ(held.at("a").polled.held.size(), 1U);
  EXPECT_EQ(held.at("a").polled.held[0].stream, kStream);
  EXPECT_EQ(held.at("a").polled.held[0].error.kind, ErrorKind::kPermission);
  EXPECT_EQ(counts_.held, 1);
  EXPECT_EQ(counts_.failed, 1);
  EXPECT_EQ(ExitCodeOf(counts_, false), 3);
  EXPECT_EQ(beats_, 1);
  simulator_.faults().Clear();
  EXPECT_TRUE(Round(kHour).at("a").well);
  EXPECT_EQ(beats_, 2);
}

TEST_F(HeartbeatTest, StaysOutWhileGraphAsksToWait) {
  Meet(a_, "signIns", FaultKind::kStatus);
  Round();
  auto held = Round(kMinute);
  ASSERT_EQ(held.at("a").polled.held.size(), 1U);
  EXPECT_EQ(held.at("a").polled.held[0].error.kind, ErrorKind::kTransient);
  EXPECT_EQ(beats_, 0);
}

TEST_F(HeartbeatTest, StaysOutWhileATenantsFileCannotBeOpened) {
  Break(a_);
  Round();
  EXPECT_EQ(beats_, 0);
}

TEST_F(HeartbeatTest, DoesNotWaitForAStreamThatTheLicenceDoesNotGive) {
  settings_.tenants[0].streams = {kStream, "riskyUsers"};
  Meet(a_, "riskyUsers", FaultKind::kMissingLicence);
  auto first = Round();
  EXPECT_FALSE(first.at("a").failures.empty());
  EXPECT_TRUE(first.at("a").well);
  EXPECT_EQ(beats_, 1);
  Round(kMinute * 6);
  EXPECT_EQ(beats_, 2);
}

}  // namespace
}  // namespace picket::run
