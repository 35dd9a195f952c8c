#include "agent/poll/plan.h"

#include <gtest/gtest.h>

#include <random>
#include <vector>

namespace picket::poll {
namespace {

const Instant kT = ParseRfc3339("2026-11-24T10:00:00Z").value();
Instant At(std::int64_t minutes) { return kT + kMinute * minutes; }

Coverage Simple(std::vector<Interval> covered) {
  return {.anchor = At(0),
          .horizon = At(-600),
          .floor = At(-10'000),
          .edge = At(120),
          .covered = std::move(covered)};
}

TEST(Plan, TheFirstWindowIsTheLiveEdgeWithoutOverlap) {
  const auto slice = NextLive(Simple({}), kHour, kMinute * 15);
  ASSERT_TRUE(slice);
  EXPECT_EQ(slice->kind, Kind::kLive);
  EXPECT_EQ(slice->ask, (Interval{At(60), At(120)}));
}

TEST(Plan, AWindowThatContinuesWhatWasReadOverlapsIt) {
  const auto slice = NextLive(Simple({{At(0), At(115)}}), kHour, kMinute * 15);
  ASSERT_TRUE(slice);
  EXPECT_EQ(slice->ask, (Interval{At(100), At(120)}));
  EXPECT_EQ(slice->counted_from, At(115)) << "new rows before it are late";
}

TEST(Plan, AfterTheEdgeTheNewestGapComesFirst) {
  const Coverage coverage = Simple({{At(10), At(20)}, {At(30), At(40)}, {At(50), At(120)}});
  const auto slice = NextLive(coverage, kHour, kMinute * 15);
  ASSERT_TRUE(slice);
  EXPECT_EQ(slice->kind, Kind::kGap);
  EXPECT_EQ(slice->ask, (Interval{At(40), At(50)}));
}

TEST(Plan, BackfillGoesDownFromFirstContactAndNotBelowWhatGraphKeeps) {
  Coverage coverage = Simple({{At(-60), At(120)}});
  EXPECT_EQ(NextBackfill(coverage, kHour)->ask, (Interval{At(-120), At(-60)}));
  coverage.floor = At(-100);
  EXPECT_EQ(NextBackfill(coverage, kHour)->ask, (Interval{At(-100), At(-60)}));
  coverage.floor = At(-60);
  EXPECT_FALSE(NextBackfill(coverage, kHour));
}

TEST(Plan, WhatWasNeverReadAndIsGoneIsLost) {
  Coverage coverage = Simple({{At(0), At(30)}, {At(50), At(60)}});
  coverage.floor = At(55);
  EXPECT_EQ(LostParts(coverage), (std::vector<Interval>{{At(30), At(50)}}));
  coverage.floor = At(0);
  EXPECT_TRUE(LostParts(coverage).empty());
}

// The oracle colours minutes one by one: following the plan must colour each at least once, only
// minutes within reach, and in the promised order of newness.
TEST(Plan, FollowedToItsEndItReadsEveryMinuteOnceNewestFirst) {
  for (unsigned seed = 1; seed <= 300; ++seed) {
    std::mt19937 random(seed);
    const auto dice = [&](int n) { return static_cast<std::int64_t>(random() % unsigned(n)); };
    Coverage coverage{.anchor = At(dice(100)),
                      .horizon = At(-dice(500)),
                      .floor = At(-400 + dice(450)),
                      .edge = At(100 + dice(300)),
                      .covered = {}};
    const int pieces = static_cast<int>(dice(6));
    for (int i = 0; i < pieces; ++i) {
      const std::int64_t from = dice(800) - 400;
      coverage.covered.push_back({At(from), std::min(coverage.edge, At(from + dice(80)))});
    }
    coverage.covered = storage::Merged(coverage.covered);
    std::vector<int> colour(1200, 0);
    const auto index = [](Instant t) {
      return static_cast<std::size_t>((t - At(-600)).ticks / kMinute.ticks);
    };
    const auto paint = [&](const Interval& part) {
      for (std::size_t i = index(part.from); i < index(part.to); ++i) ++colour[i];
    };
    for (const Interval& part : coverage.covered) paint(part);
    const std::vector<int> before = colour;
    const Instant low = std::max(coverage.anchor, coverage.floor);
    Instant last_end{Instant::kMaxTicks};
    int steps = 0;
    while (const auto slice = NextLive(coverage, kMinute * (1 + dice(60)), kMinute * 15)) {
      ASSERT_LT(++steps, 2'000) << seed;
      ASSERT_LE(slice->ask.to, last_end) << "newest first, seed " << seed;
      ASSERT_GE(slice->ask.from, low) << seed;
      ASSERT_LT(slice->counted_from, slice->ask.to) << seed;
      last_end = slice->ask.to;
      paint({slice->counted_from, slice->ask.to});
      coverage.covered.push_back(slice->ask);
      coverage.covered = storage::Merged(coverage.covered);
    }
    while (const auto slice = NextBackfill(coverage, kMinute * (1 + dice(60)))) {
      ASSERT_LT(++steps, 4'000) << seed;
      paint(slice->ask);
      coverage.covered.push_back(slice->ask);
      coverage.covered = storage::Merged(coverage.covered);
    }
    const Instant bottom = std::max(std::min(coverage.horizon, coverage.anchor), coverage.floor);
    for (std::size_t i = 0; i < colour.size(); ++i) {
      const Instant t = At(-600) + kMinute * static_cast<std::int64_t>(i);
      const bool in_reach = t >= bottom && t < coverage.edge;
      EXPECT_EQ(colour[i], before[i] > 0 ? 1
                           : in_reach    ? 1
                                         : 0)
          << "seed " << seed << " minute " << FormatRfc3339(t);
    }
  }
}

TEST(Plan, FewPagesWidenAndManyNarrow) {
  EXPECT_EQ(AdaptWidth(kHour, 1, kDay), kHour * 2);
  EXPECT_EQ(AdaptWidth(kDay, 1, kDay), kDay);
  EXPECT_EQ(AdaptWidth(kHour, 8, kDay), kHour);
  EXPECT_EQ(AdaptWidth(kHour, 40, kDay), kMinute * 30);
  EXPECT_EQ(AdaptWidth(kMinute, 40, kDay), kMinute);
}

const std::vector<Timespan> kAfter = {kHour, kHour * 6, kHour * 24, kHour * 48};

storage::Window Read(std::int64_t id, std::int64_t from, std::int64_t to, int stage = 0) {
  storage::Window window;
  window.id = id;
  window.from = At(from);
  window.to = At(to);
  window.stage = stage;
  window.state = "read";
  return window;
}

TEST(Reconciliation, WindowsGatherAndAreReadAgainTogether) {
  const std::vector<storage::Window> windows = {Read(1, 0, 5), Read(2, 0, 10), Read(3, 5, 15)};
  EXPECT_FALSE(NextReconciliation(windows, At(65), kAfter, kHour)) << "due, but may gather";
  const auto group = NextReconciliation(windows, At(80), kAfter, kHour);
  ASSERT_TRUE(group);
  EXPECT_EQ(group->ask, (Interval{At(0), At(15)}));
  EXPECT_EQ(group->windows.size(), 3U);
}

TEST(Reconciliation, EveryStageComesInTurnAndThenNoMore) {
  EXPECT_FALSE(NextReconciliation({Read(1, 0, 60, 1)}, At(60 + 359), kAfter, kHour));
  EXPECT_TRUE(NextReconciliation({Read(1, 0, 60, 1)}, At(60 + 450), kAfter, kHour));
  EXPECT_TRUE(NextReconciliation({Read(1, 0, 60, 3)}, At(60 + 60 * 60), kAfter, kHour));
  EXPECT_FALSE(NextReconciliation({Read(1, 0, 60, 4)}, At(60 + 600 * 60), kAfter, kHour));
  EXPECT_EQ(StagesPassed(At(0), At(60 * 7), kAfter), 2);
  EXPECT_EQ(StagesPassed(At(0), At(59), kAfter), 0);
  EXPECT_EQ(StagesPassed(At(0), At(60 * 480), kAfter), 4);
}

TEST(Reconciliation, NeighboursOnlyAndNotWiderThanAsked) {
  const auto apart = NextReconciliation({Read(1, 0, 5), Read(2, 50, 55)}, At(500), kAfter, kHour);
  ASSERT_TRUE(apart);
  EXPECT_EQ(apart->windows.size(), 1U);
  const auto wide = NextReconciliation({Read(1, 0, 50), Read(2, 50, 100)}, At(500), kAfter, kHour);
  ASSERT_TRUE(wide);
  EXPECT_EQ(wide->ask, (Interval{At(0), At(50)}));
}

TEST(Interval, AQuietStreamIsAskedLessOftenUpToItsLimit) {
  const Timespan five = kMinute * 5;
  const Timespan thirty = kMinute * 30;
  EXPECT_EQ(NextInterval(five, thirty, Timespan{}), five);
  EXPECT_EQ(NextInterval(five, thirty, kHour * 2), kMinute * 10);
  EXPECT_EQ(NextInterval(five, thirty, kDay), thirty);
  EXPECT_EQ(NextInterval(kHour, thirty, kDay), kHour);
}

TEST(Backoff, DoublesUpToItsLimit) {
  EXPECT_EQ(Backoff(1, kSecond * 2, kMinute), kSecond * 2);
  EXPECT_EQ(Backoff(3, kSecond * 2, kMinute), kSecond * 8);
  EXPECT_EQ(Backoff(1000, kSecond * 2, kMinute), kMinute);
}

}  // namespace
}  // namespace picket::poll
