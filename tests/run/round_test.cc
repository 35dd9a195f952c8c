// Rounds of the whole agent over real HTTP and TLS against simulated tenants: what one of them
// suffers is nothing to the other, and what was out of order comes back.

#include "agent/run/round.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <set>

#include "agent/run/tenant_files.h"
#include "base/files.h"
#include "tests/scratch_directory.h"
#include "tests/simulator/generator.h"
#include "tests/simulator/simulator.h"

namespace picket::run {
namespace {

namespace fs = std::filesystem;
using simulator::FaultKind;
using simulator::List;

constexpr const char* kStream = "signIns.interactive";
constexpr const char* kApp = "11111111-2222-4333-8444-555555555555";
constexpr const char* kOtherApp = "11111111-2222-4333-8444-666666666666";
constexpr std::int64_t kAlways = 1'000'000;

class RoundTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(simulator_.Start());
    simulator_.RegisterApp({.client_id = kApp, .secrets = {"secret"}});
    simulator_.RegisterApp({.client_id = kOtherApp, .expired_secrets = {"secret"}});
    ASSERT_TRUE(WriteFileAtomically(folder_ / "secret", "secret"));
    ASSERT_TRUE(WriteFileAtomically(folder_ / "ca.pem", simulator_.CaPem()));
    settings_.data_dir = folder_ / "data";
    settings_.cloud = {
        .authority = simulator_.Url(), .graph = simulator_.Url(), .arm = simulator_.Url()};
    settings_.network.ca_file = (folder_ / "ca.pem").string();
    settings_.poll.backfill = {};
    settings_.shipped_rules = false;
    settings_.min_free = 0;
    AddApp("", kApp);
    AddApp("other", kOtherApp);
    for (const Guid& tenant : {a_, b_}) simulator_.AddTenant({.id = tenant});
    settings_.tenants = {{.name = "a", .id = a_, .app = "", .streams = {kStream}},
                         {.name = "b", .id = b_, .app = "", .streams = {kStream}}};
  }

  void AddApp(const std::string& name, const char* client_id) {
    settings_.apps[name] = {.name = name,
                            .client_id = client_id,
                            .by_certificate = false,
                            .client_secret = SecretRef{"file", (folder_ / "secret").string()}};
  }

  // Spread over most of the last hours, and long visible.
  void Emit(const Guid& tenant, int count, int hours = 1) {
    const Instant now = clock_.Now();
    const simulator::Principal who{.id = "u", .name = "U", .user = "u@contoso.example"};
    for (int i = 0; i < count; ++i) {
      const Instant at = now - kMinute * 4 - Timespan{(kMinute * 50 * hours).ticks / count * i};
      simulator_.Emit(tenant, List::kSignIns,
                      SignInJson(tenant, ToString(Uuid5(tenant, std::to_string(i))), at, who,
                                 "interactiveUser", ""),
                      at);
    }
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

  std::set<std::string> Stored(const Guid& tenant) {
    auto store = OpenTenant(settings_, tenant, /*read_only=*/true);
    EXPECT_TRUE(store) << (store ? "" : store.error().message);
    if (!store) return {};
    const auto ids = (*store)->events().Ids(kStream).value();
    return {ids.begin(), ids.end()};
  }
  void ExpectAllStored(const Guid& tenant) {
    EXPECT_EQ(Stored(tenant), simulator_.EmittedIds(tenant, kStream));
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
  simulator::Simulator simulator_;
  const ScratchDirectory scratch_;
  const fs::path folder_ = scratch_.path();
  Settings settings_;
  const Guid a_ = Uuid5(kPicketNamespace, "tenant a"), b_ = Uuid5(kPicketNamespace, "tenant b");
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
  const fs::path file = storage::TenantStore::PathOf(settings_.data_dir, a_);
  ASSERT_TRUE(EnsurePrivateDirectory(settings_.data_dir));
  ASSERT_TRUE(EnsurePrivateDirectory(file.parent_path()));
  std::ofstream(file) << "this is no database, and long enough to be looked at as one";
  fs::permissions(file, fs::perms::owner_read | fs::perms::owner_write);
  const auto agent = Open(clock_);
  const Seen broken = Round(*agent);
  ExpectAllStored(b_);
  ASSERT_FALSE(broken.outcomes.at("a").failures.empty());
  fs::remove(file);
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
