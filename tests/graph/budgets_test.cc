#include "agent/graph/budgets.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

namespace picket::graph {
namespace {

// Only the hand moves it.
class HandClock final : public Clock {
 public:
  [[nodiscard]] Instant Now() const override { return now; }
  [[nodiscard]] Ticks Steady() const override { return {}; }
  bool SleepUntil(Ticks, std::stop_token) override { return true; }
  Instant now = ParseRfc3339("2026-11-24T10:00:00Z").value();
};

class MemoryJournal final : public BudgetJournal {
 public:
  Status Note(const Entry& entry) override {
    if (broken) return Fail({.kind = ErrorKind::kStorage, .message = "disk"});
    entries.push_back(entry);
    return {};
  }
  Result<std::vector<Entry>> Since(Instant time) override {
    std::vector<Entry> newer;
    std::copy_if(entries.begin(), entries.end(), std::back_inserter(newer),
                 [&](const Entry& e) { return e.time >= time; });
    return newer;
  }
  Status Hold(const Account& account, Instant until, std::string_view) override {
    holds[account.app + account.tenant] = until;
    return {};
  }
  Result<std::optional<Instant>> HeldUntil(const Account& account) override {
    const auto found = holds.find(account.app + account.tenant);
    return found == holds.end() ? std::optional<Instant>() : std::optional(found->second);
  }
  std::vector<Entry> entries;
  std::map<std::string, Instant> holds;
  bool broken = false;
};

// The slow oracle: counts, for each request, those in the span that ends with it.
std::size_t MostInAnySpan(const std::vector<Instant>& times, Timespan span) {
  std::size_t most = 0;
  for (const Instant end : times) {
    std::size_t count = 0;
    for (const Instant t : times) count += t <= end && t > end - span ? 1U : 0U;
    most = std::max(most, count);
  }
  return most;
}

TEST(Budgets, NoSpanEverHoldsMoreThanItsLimitAcrossRestarts) {
  for (unsigned seed = 1; seed <= 20; ++seed) {
    std::mt19937 random(seed);
    HandClock clock;
    MemoryJournal journal;
    auto budgets = std::make_unique<Budgets>(clock, &journal);
    ASSERT_TRUE(budgets->Load());
    std::map<std::string, std::vector<Instant>> per_tenant;
    std::vector<Instant> of_app, protection;
    for (int i = 0; i < 3'000; ++i) {
      const Account account{
          .app = "app",
          .tenant = "t" + std::to_string(random() % 40),
          .family = random() % 4 == 0 ? Family::kIdentityProtection : Family::kAuditLogs};
      const auto taken = budgets->TryTake(account);
      ASSERT_TRUE(taken);
      if (!*taken) {
        if (account.family == Family::kAuditLogs) {
          per_tenant[account.tenant].push_back(clock.now);
          of_app.push_back(clock.now);
        } else if (account.tenant == "t1") {
          protection.push_back(clock.now);
        }
      } else {
        EXPECT_GT(**taken, clock.now);
      }
      clock.now = clock.now + kMillisecond * static_cast<std::int64_t>(random() % 60);
      if (random() % 200 == 0) {
        budgets = std::make_unique<Budgets>(clock, &journal);  // another `once`
        ASSERT_TRUE(budgets->Load());
      }
    }
    for (const auto& [tenant, times] : per_tenant) {
      EXPECT_LE(MostInAnySpan(times, kSecond * 10), 4U) << "seed " << seed << " " << tenant;
    }
    EXPECT_LE(MostInAnySpan(of_app, kSecond * 10), 100U) << "seed " << seed;
    EXPECT_EQ(MostInAnySpan(of_app, kSecond * 10), 100U) << "the budget is used, seed " << seed;
    EXPECT_LE(MostInAnySpan(protection, kSecond * 2), 1U) << "seed " << seed;
  }
}

TEST(Budgets, WhatItSaysToWaitIsEnoughAndNotMore) {
  HandClock clock;
  Budgets budgets(clock, nullptr, {.margin = Timespan{}});
  const Account account{.app = "a", .tenant = "t"};
  const Instant start = clock.now;
  for (int i = 0; i < 4; ++i) EXPECT_EQ(*budgets.TryTake(account), std::nullopt);
  EXPECT_EQ(*budgets.TryTake(account), start + kSecond * 10);
  clock.now = start + kSecond * 10;
  EXPECT_EQ(*budgets.TryTake(account), std::nullopt);
}

TEST(Budgets, IdentityProtectionIsSharedByAllAppsOfATenant) {
  HandClock clock;
  Budgets budgets(clock, nullptr);
  const auto take = [&](const char* app, const char* tenant) {
    return budgets.TryTake({.app = app, .tenant = tenant, .family = Family::kIdentityProtection})
        .value();
  };
  EXPECT_FALSE(take("a", "t"));
  EXPECT_TRUE(take("b", "t"));
  EXPECT_FALSE(take("b", "u"));
}

TEST(Budgets, AHoldOutlivesTheProcessAndTheLongerOneStands) {
  HandClock clock;
  MemoryJournal journal;
  const Account account{.app = "a", .tenant = "t"};
  {
    Budgets budgets(clock, &journal);
    ASSERT_TRUE(budgets.Hold(account, clock.now + kMinute, "Retry-After"));
    ASSERT_TRUE(budgets.Hold(account, clock.now + kSecond, "Retry-After"));
  }
  Budgets budgets(clock, &journal);
  EXPECT_EQ(*budgets.TryTake(account), clock.now + kMinute);
  EXPECT_EQ(*budgets.TryTake({.app = "a", .tenant = "other"}), std::nullopt);
  clock.now = clock.now + kMinute;
  EXPECT_EQ(*budgets.TryTake(account), std::nullopt);
}

TEST(Budgets, AClockThatGoesBackADayDoesNotStopEverythingForADay) {
  HandClock clock;
  Budgets budgets(clock, nullptr);
  const Account account{.app = "a", .tenant = "t"};
  for (int i = 0; i < 4; ++i) ASSERT_EQ(*budgets.TryTake(account), std::nullopt);
  clock.now = clock.now - kDay;
  const auto at = budgets.TryTake(account).value();
  ASSERT_TRUE(at);
  EXPECT_LE(*at, clock.now + kSecond * 11);
}

TEST(Budgets, ARequestThatCannotBeNotedIsNotSent) {
  HandClock clock;
  MemoryJournal journal;
  journal.broken = true;
  Budgets budgets(clock, &journal);
  const auto taken = budgets.TryTake({.app = "a", .tenant = "t"});
  ASSERT_FALSE(taken);
  EXPECT_EQ(taken.error().kind, ErrorKind::kStorage);
}

}  // namespace
}  // namespace picket::graph
