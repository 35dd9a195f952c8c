#include "agent/graph/budgets.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

namespace picket::graph {
namespace {

// Only the hand moves it.
class HandClock final : public Clock {
 public:
  [[nodiscard]] Instant Now() const override { return now + wrong; }
  [[nodiscard]] Ticks Steady() const override {
    return Ticks{} + std::chrono::nanoseconds((now - start).ticks * 100);
  }
  bool SleepUntil(Ticks, std::stop_token) override { return true; }
  const Instant start = ParseRfc3339("2026-11-24T10:00:00Z").value();
  Instant now = start;
  Timespan wrong{};  // of the wall clock
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

// Requests of 40 tenants, each with one under way at a time, that arrive some time after they were
// taken and are answered some time after that.
class Traffic {
 public:
  explicit Traffic(unsigned seed) : random_(seed) { Restart(); }

  void Play(int steps) {
    for (int i = 0; i < steps; ++i) {
      Settle();
      Ask({.app = "app",
           .tenant = "t" + std::to_string(random_() % 40),
           .family = random_() % 4 == 0 ? Family::kIdentityProtection : Family::kAuditLogs});
      clock_.now = clock_.now + kMillisecond * static_cast<std::int64_t>(random_() % 60);
      if (random_() % 300 == 0) Jump();
      // Of a clock that jumps ahead while no process looks nobody can know.
      if (random_() % 200 == 0 && clock_.now > jumped_ + kSecond * 11) Restart();
    }
  }

  // By account: when they were taken, and when they arrived.
  std::map<std::string, std::vector<Instant>> taken, arrived;

 private:
  struct UnderWay {
    Account account;
    Instant arrives, answered;
  };

  static std::vector<std::string> KeysOf(const Account& account) {
    if (account.family == Family::kIdentityProtection) return {"protection " + account.tenant};
    return {"audit " + account.tenant, "audit"};
  }

  void Ask(const Account& account) {
    const std::string key = KeysOf(account).front();
    if (under_way_.contains(key)) return;
    const auto wait = budgets_->TryTake(account);
    ASSERT_TRUE(wait);
    if (*wait) {
      EXPECT_GT(**wait, Timespan{});
      return;
    }
    for (const std::string& of : KeysOf(account)) taken[of].push_back(clock_.now);
    const auto some = [&] {
      return kMillisecond *
             static_cast<std::int64_t>(random_() % (random_() % 10 == 0 ? 4000 : 300));
    };
    const Instant arrives = clock_.now + some();
    under_way_[key] = {account, arrives, arrives + some()};
  }

  void Arrive(const UnderWay& request) {
    for (const std::string& of : KeysOf(request.account)) arrived[of].push_back(request.arrives);
  }

  void Settle() {
    std::erase_if(under_way_, [&](const auto& entry) {
      if (entry.second.answered > clock_.now) return false;
      Arrive(entry.second);
      budgets_->Answered(entry.second.account);
      return true;
    });
  }

  void Jump() {
    clock_.wrong = random_() % 2 == 0 ? Timespan{} : random_() % 2 == 0 ? kDay : kDay * -1;
    jumped_ = clock_.now;
  }

  // Another `once`, after a process that was killed. What was on its way arrives or does not.
  void Restart() {
    for (const auto& [key, request] : under_way_) {
      if (request.arrives <= clock_.now) Arrive(request);
    }
    under_way_.clear();
    budgets_ = std::make_unique<Budgets>(clock_, &journal_);
    ASSERT_TRUE(budgets_->Load());
  }

  std::mt19937 random_;
  HandClock clock_;
  MemoryJournal journal_;
  std::unique_ptr<Budgets> budgets_;
  std::map<std::string, UnderWay> under_way_;
  Instant jumped_;
};

TEST(Budgets, NoSpanEverHoldsMoreThanItsLimitsAcrossRestartsAndJumpsOfTheClock) {
  for (unsigned seed = 1; seed <= 20; ++seed) {
    Traffic traffic(seed);
    traffic.Play(4'000);
    for (const auto& [key, times] : traffic.taken) {
      const bool protection = key.starts_with("protection");
      EXPECT_LE(MostInAnySpan(times, kSecond * (protection ? 2 : 10)), protection       ? 1U
                                                                       : key == "audit" ? 100U
                                                                                        : 4U)
          << "seed " << seed << " " << key;
    }
    for (const auto& [key, times] : traffic.arrived) {
      const bool protection = key.starts_with("protection");
      EXPECT_LE(MostInAnySpan(times, kSecond * (protection ? 1 : 10)), protection       ? 1U
                                                                       : key == "audit" ? 122U
                                                                                        : 5U)
          << "seed " << seed << " " << key;
    }
    EXPECT_GE(MostInAnySpan(traffic.taken["audit"], kSecond * 10), 95U)
        << "the budget is used, seed " << seed;
  }
}

TEST(Budgets, WhatItSaysToWaitIsEnoughAndNotMore) {
  HandClock clock;
  Budgets budgets(clock, nullptr, {.margin = Timespan{}});
  const Account account{.app = "a", .tenant = "t"};
  for (int i = 0; i < 4; ++i) {
    EXPECT_EQ(*budgets.TryTake(account), std::nullopt);
    budgets.Answered(account);
  }
  EXPECT_EQ(*budgets.TryTake(account), kSecond * 10);
  clock.now = clock.now + kSecond * 10;
  EXPECT_EQ(*budgets.TryTake(account), std::nullopt);
}

// The token came late, or the connection: it may have arrived just before its answer.
TEST(Budgets, ARequestThatWasAnsweredLateIsFollowedByNoneTooSoon) {
  HandClock clock;
  Budgets budgets(clock, nullptr, {.margin = Timespan{}});
  const Account account{.app = "a", .tenant = "t", .family = Family::kIdentityProtection};
  EXPECT_EQ(*budgets.TryTake(account), std::nullopt);
  clock.now = clock.now + kSecond * 3;
  budgets.Answered(account);
  EXPECT_EQ(*budgets.TryTake(account), kSecond);
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
    ASSERT_TRUE(budgets.Hold(account, kMinute, "Retry-After"));
    ASSERT_TRUE(budgets.Hold(account, kSecond, "Retry-After"));
  }
  Budgets budgets(clock, &journal);
  EXPECT_EQ(*budgets.TryTake(account), kMinute);
  EXPECT_EQ(*budgets.TryTake({.app = "a", .tenant = "other"}), std::nullopt);
  clock.now = clock.now + kMinute;
  EXPECT_EQ(*budgets.TryTake(account), std::nullopt);
}

TEST(Budgets, AClockThatJumpsNeitherFreesTheBudgetNorStopsEverythingForADay) {
  for (const Timespan wrong : {kDay, kDay * -1}) {
    HandClock clock;
    Budgets budgets(clock, nullptr);
    const Account account{.app = "a", .tenant = "t"};
    const Account held{.app = "a", .tenant = "held"};
    for (int i = 0; i < 4; ++i) ASSERT_EQ(*budgets.TryTake(account), std::nullopt);
    ASSERT_TRUE(budgets.Hold(held, kMinute, "Retry-After"));
    clock.wrong = wrong;
    const auto wait = budgets.TryTake(account).value();
    ASSERT_TRUE(wait);
    EXPECT_GE(*wait, kSecond * 10);
    EXPECT_LE(*wait, kSecond * 11);
    EXPECT_EQ(*budgets.TryTake(held), kMinute);
  }
}

// What was sent before it counts as just sent.
TEST(Budgets, AClockThatWentBackBeforeTheProcessBeganDoesNotStopEverythingForADay) {
  HandClock clock;
  MemoryJournal journal;
  const Account account{.app = "a", .tenant = "t"};
  {
    Budgets budgets(clock, &journal);
    for (int i = 0; i < 4; ++i) ASSERT_EQ(*budgets.TryTake(account), std::nullopt);
    ASSERT_TRUE(budgets.Hold({.app = "a", .tenant = "held"}, kMinute, "Retry-After"));
  }
  clock.wrong = kDay * -2;
  Budgets budgets(clock, &journal);
  ASSERT_TRUE(budgets.Load());
  const auto wait = budgets.TryTake(account).value();
  ASSERT_TRUE(wait);
  EXPECT_LE(*wait, kSecond * 11);
  EXPECT_EQ(*budgets.TryTake({.app = "a", .tenant = "held"}), std::nullopt);
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
