// Rounds of the whole agent over real HTTP and TLS against simulated tenants: what one of them
// suffers is nothing to the other, and what was out of order comes back.

#include "agent/run/tenant_files.h"
#include "base/files.h"
#include "tests/run/run_fixture.h"

namespace picket::run {
namespace {

using simulator::FaultKind;

constexpr std::int64_t kAlways = 1'000'000;

class RoundTest : public AgentTest {
 protected:
  void Emit(const Guid& tenant, int count, int hours = 1) {
    AgentTest::Emit(tenant, count, clock_.Now(), hours);
  }
  struct Seen {
    std::vector<std::string> order;  // of the tenants, as they were done
    std::map<std::string, TenantOutcome> outcomes;
  };
  // One round; `last`: the tenant with which the test has seen enough.
  Seen Round(Agent& agent, const std::string& last = "") {
    Seen seen;
    std::stop_source stop;
    (void)agent.Once(
        {.all_streams = true},
        [&](const TenantOutcome& outcome) {
          seen.order.push_back(outcome.tenant);
          seen.outcomes[outcome.tenant] = outcome;
          if (outcome.tenant == last) stop.request_stop();
        },
        stop.get_token());
    return seen;
  }
  std::unique_ptr<Agent> Open(Clock& clock) {
    auto agent = Agent::Open(settings_, clock, /*clock_is_set=*/true);
    EXPECT_TRUE(agent) << (agent ? "" : agent.error().message);
    return agent ? *std::move(agent) : nullptr;
  }

  // An empty tenant's file, in bytes.
  std::int64_t EmptyFile() {
    Settings elsewhere = settings_;
    elsewhere.data_dir = folder_ / "elsewhere";
    PK_CHECK(EnsurePrivateDirectory(elsewhere.data_dir).has_value(), "a folder");
    auto store = OpenTenant(elsewhere, a_, /*read_only=*/false);
    return store.value()->Bytes().value();
  }

  SystemClock clock_;
};

TEST_F(RoundTest, ATenantThatHangsDelaysNoOther) {
  Emit(a_, 30);
  Emit(b_, 30);
  simulator_.faults().Add({.tenant = ToString(a_),
                           .path = "signIns",
                           .count = kAlways,
                           .fault = {.kind = FaultKind::kHang}});
  const auto agent = Open(clock_);
  const Seen seen = Round(*agent, "b");
  EXPECT_EQ(seen.order, std::vector<std::string>{"b"});
  ExpectAllStored(b_);
  EXPECT_TRUE(Stored(a_).empty());
}

TEST_F(RoundTest, ATenantThatIsThrottledDelaysNoOther) {
  Emit(a_, 30);
  Emit(b_, 30);
  simulator_.faults().Add(
      {.tenant = ToString(a_),
       .path = "signIns",
       .count = kAlways,
       .fault = {.kind = FaultKind::kStatus, .status = 429, .retry_after = "50"}});
  const auto agent = Open(clock_);
  const Seen seen = Round(*agent, "b");
  EXPECT_EQ(seen.order, std::vector<std::string>{"b"});
  ExpectAllStored(b_);
  EXPECT_TRUE(Stored(a_).empty());
}

TEST_F(RoundTest, ATenantWhoseCredentialIsRefusedDelaysNoOtherAndIsNamed) {
  settings_.tenants[0].app = "other";
  Emit(a_, 30);
  Emit(b_, 30);
  const auto agent = Open(clock_);
  const Seen seen = Round(*agent);
  ASSERT_EQ(seen.order.size(), 2U);
  ExpectAllStored(b_);
  EXPECT_TRUE(seen.outcomes.at("b").failures.empty());
  EXPECT_TRUE(Stored(a_).empty());
  ASSERT_FALSE(seen.outcomes.at("a").failures.empty());
  EXPECT_EQ(seen.outcomes.at("a").failures[0].second.kind, ErrorKind::kAuth);
}

TEST_F(RoundTest, ATenantWithoutPermissionDelaysNoOtherAndIsNamed) {
  simulator_.AddTenant({.id = a_, .roles = {}});
  Emit(a_, 30);
  Emit(b_, 30);
  const auto agent = Open(clock_);
  const Seen seen = Round(*agent);
  ExpectAllStored(b_);
  EXPECT_TRUE(seen.outcomes.at("b").failures.empty());
  ASSERT_FALSE(seen.outcomes.at("a").failures.empty());
  EXPECT_EQ(seen.outcomes.at("a").failures[0].second.kind, ErrorKind::kPermission);
}

TEST_F(RoundTest, ATenantThatFillsItsSizeLimitStopsAloneAndGoesOnWhenThereIsRoom) {
  settings_.poll.backfill = kHour * 3;
  Emit(a_, 900, 3);
  Emit(b_, 20, 3);
  settings_.max_size = EmptyFile() + 60'000;
  {
    const auto agent = Open(clock_);
    const Seen seen = Round(*agent);
    ExpectAllStored(b_);
    EXPECT_TRUE(seen.outcomes.at("b").failures.empty());
    EXPECT_LT(Stored(a_).size(), 900U);
    ASSERT_FALSE(seen.outcomes.at("a").failures.empty());
    EXPECT_EQ(seen.outcomes.at("a").failures[0].second.kind, ErrorKind::kLimit);
  }
  settings_.max_size = 0;
  SystemClock later(kMinute * 30);
  const auto agent = Open(later);
  const Seen seen = Round(*agent);
  EXPECT_TRUE(seen.outcomes.at("a").failures.empty());
  ExpectAllStored(a_);
}

TEST_F(RoundTest, ATenantWhoseFileCannotBeOpenedComesBackWhenItIsMended) {
  Emit(a_, 10);
  Emit(b_, 10);
  Break(a_);
  const auto agent = Open(clock_);
  const Seen broken = Round(*agent);
  ExpectAllStored(b_);
  ASSERT_FALSE(broken.outcomes.at("a").failures.empty());
  Mend(a_);
  const Seen mended = Round(*agent);
  EXPECT_TRUE(mended.outcomes.at("a").failures.empty());
  ExpectAllStored(a_);
}

TEST_F(RoundTest, AClockThatIsMonthsAheadDeletesNothing) {
  Emit(a_, 10);
  {
    const auto agent = Open(clock_);
    Round(*agent);
    ExpectAllStored(a_);
  }
  SystemClock ahead(kDay * 400);
  {
    const auto agent = Open(ahead);
    Round(*agent);
    ExpectAllStored(a_);
  }
  // Not even when nobody can tell what time it is.
  settings_.tenants[0].app = "other";
  const auto agent = Open(ahead);
  Round(*agent);
  ExpectAllStored(a_);
}

}  // namespace
}  // namespace picket::run
