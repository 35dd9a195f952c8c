#include "storage/tick_store.h"

#include <gmock/gmock.h>

#include <map>
#include <random>

#include "tests/storage/store_fixture.h"

namespace picket::storage {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

Instant At(std::int64_t hours) { return Instant{} + kHour * hours; }

class TickStoreTest : public StoreTest {
 protected:
  TickStore& Of() { return store->ticks(); }
  static TickRow Row(std::int64_t hour, TickState state, const std::string& reason = "",
                     const std::string& version = "v1") {
    return {.rule = "rule",
            .tick = At(hour),
            .version = version,
            .state = state,
            .reason = reason,
            .runs = 1,
            .changed = At(hour)};
  }
  std::vector<std::int64_t> WaitingHours() {
    std::vector<std::int64_t> hours;
    const Result<std::vector<TickRow>> waiting = Of().Waiting("", 1000);
    for (const TickRow& row : waiting.value()) hours.push_back(row.tick.ticks / kHour.ticks);
    return hours;
  }
};

TEST_F(TickStoreTest, ATickIsEvaluatedWhenTheCursorHasPassedItAndNothingElseIsSaid) {
  EXPECT_FALSE(Of().Cursor("rule").value());
  EXPECT_FALSE(Of().State("rule", At(1)).value());
  ASSERT_TRUE(Of().Start("rule", "v1", At(10)));
  ASSERT_TRUE(Of().Advance(Row(11, TickState::kEvaluated), At(10)));
  ASSERT_TRUE(Of().Advance(Row(12, TickState::kPartial, "SigninLogs is not read yet"), At(11)));
  ASSERT_TRUE(Of().Advance(Row(13, TickState::kGivenUp, "out of memory"), At(12)));
  EXPECT_EQ(Of().State("rule", At(11)).value(), TickState::kEvaluated);
  EXPECT_EQ(Of().State("rule", At(12)).value(), TickState::kPartial);
  EXPECT_EQ(Of().State("rule", At(13)).value(), TickState::kGivenUp);
  EXPECT_FALSE(Of().State("rule", At(14)).value()) << "still to come";
  EXPECT_FALSE(Of().State("rule", At(10)).value()) << "the rule began after it";
  Reopen();
  const TickCursor cursor = Of().Cursor("rule").value().value();
  EXPECT_EQ(std::tie(cursor.version, cursor.started, cursor.tick),
            std::make_tuple(std::string("v1"), At(10), At(13)));
  const std::vector<TickRow> waiting = Of().Waiting("", 10).value();
  ASSERT_EQ(waiting.size(), 1U);
  EXPECT_EQ(waiting[0].reason, "SigninLogs is not read yet");
  EXPECT_EQ(waiting[0].runs, 1);
}

TEST_F(TickStoreTest, NoTickCanBeLeftOut) {
  EXPECT_FALSE(Of().Advance(Row(1, TickState::kEvaluated), At(0))) << "it never started";
  ASSERT_TRUE(Of().Start("rule", "v1", At(10)));
  EXPECT_EQ(Of().Advance(Row(13, TickState::kEvaluated), At(12)).error().kind,
            ErrorKind::kInternal);
  EXPECT_FALSE(Of().Advance(Row(10, TickState::kEvaluated), At(10))) << "it must move on";
  EXPECT_FALSE(Of().Advance(Row(11, TickState::kEvaluated, "", "v2"), At(10)))
      << "another version of the rule";
  EXPECT_FALSE(Of().Settle(Row(11, TickState::kEvaluated))) << "still to come";
  EXPECT_FALSE(Of().Settle(Row(10, TickState::kDirty))) << "before the rule began";
  EXPECT_EQ(Of().Cursor("rule").value()->tick, At(10));
  EXPECT_THAT(WaitingHours(), IsEmpty());
}

TEST_F(TickStoreTest, WhatWaitsRunsAgainNewestFirstAndIsSettled) {
  ASSERT_TRUE(Of().Start("rule", "v1", At(0)));
  for (std::int64_t hour = 1; hour <= 6; ++hour) {
    const TickState state = hour == 2 ? TickState::kPartial : TickState::kEvaluated;
    ASSERT_TRUE(Of().Advance(Row(hour, state), At(hour - 1)));
  }
  ASSERT_TRUE(Of().MarkDirty("rule", At(4), "a late row", At(9)));
  ASSERT_TRUE(Of().MarkDirty("rule", At(4), "another late row", At(9)));
  ASSERT_TRUE(Of().MarkDirty("rule", At(2), "a late row", At(9)));
  ASSERT_TRUE(Of().MarkDirty("rule", At(7), "a row of a tick to come", At(9)));
  ASSERT_TRUE(Of().MarkDirty("rule", At(0), "a row from before the rule", At(9)));
  EXPECT_THAT(WaitingHours(), ElementsAre(4, 2));
  EXPECT_EQ(Of().State("rule", At(2)).value(), TickState::kPartial) << "runs again anyhow";
  EXPECT_EQ(Of().Waiting("rule", 1).value().at(0).reason, "a late row") << "once however many rows";
  TickRow again = Row(4, TickState::kEvaluated);
  again.runs = 2;
  ASSERT_TRUE(Of().Settle(again));
  ASSERT_TRUE(Of().Settle(Row(2, TickState::kGivenUp, "it never became complete")));
  EXPECT_THAT(WaitingHours(), IsEmpty());
  EXPECT_EQ(Of().State("rule", At(4)).value(), TickState::kEvaluated);
  EXPECT_EQ(Of().State("rule", At(2)).value(), TickState::kGivenUp);
  ASSERT_TRUE(Of().MarkDirty("rule", At(2), "a late row", At(9)));
  EXPECT_EQ(Of().State("rule", At(2)).value(), TickState::kGivenUp) << "for good";
  const TickCounts counts = Of().Counts("rule").value();
  EXPECT_EQ(std::tie(counts.partial, counts.dirty, counts.given_up), std::make_tuple(0, 0, 1));
}

TEST_F(TickStoreTest, ANewVersionOfARuleBeginsAtItsNewestTickAndForgetsTheOldOnesDebts) {
  ASSERT_TRUE(Of().Start("rule", "v1", At(0)));
  ASSERT_TRUE(Of().Start("other", "o", At(0)));
  ASSERT_TRUE(Of().Advance(Row(1, TickState::kPartial), At(0)));
  TickRow other = Row(1, TickState::kPartial, "", "o");
  other.rule = "other";
  ASSERT_TRUE(Of().Advance(other, At(0)));
  ASSERT_TRUE(Of().Start("rule", "v2", At(5)));
  EXPECT_FALSE(Of().State("rule", At(1)).value());
  EXPECT_THAT(WaitingHours(), ElementsAre(1)) << "the other rule's";
  EXPECT_FALSE(Of().Advance(Row(6, TickState::kEvaluated, "", "v1"), At(5)));
  EXPECT_TRUE(Of().Advance(Row(6, TickState::kEvaluated, "", "v2"), At(5)));
}

TEST_F(TickStoreTest, WhatCanNoLongerBeJudgedIsGivenUpAndSaysSoBeforeItIsForgotten) {
  ASSERT_TRUE(Of().Start("rule", "v1", At(0)));
  ASSERT_TRUE(Of().Advance(Row(1, TickState::kPartial, "not read"), At(0)));
  ASSERT_TRUE(Of().Advance(Row(2, TickState::kGivenUp, "too slow"), At(1)));
  ASSERT_TRUE(Of().Advance(Row(50, TickState::kPartial, "not read"), At(2)));
  ASSERT_TRUE(Of().Expire(At(10), At(100)));
  EXPECT_EQ(Of().State("rule", At(1)).value(), TickState::kGivenUp);
  EXPECT_THAT(WaitingHours(), ElementsAre(50));
  EXPECT_EQ(Of().Counts("rule").value().given_up, 1)
      << "the one that was given up long ago is forgotten";
  ASSERT_TRUE(Of().Expire(At(40), At(130)));
  EXPECT_EQ(Of().Counts("rule").value().given_up, 1) << "shown as long as events are kept";
  ASSERT_TRUE(Of().Expire(At(101), At(200)));
  EXPECT_EQ(Of().Counts("rule").value().given_up, 1) << "hour 50, now";
}

TEST_F(TickStoreTest, WhatATickFoundIsReplacedByWhatItFindsWhenItRunsAgain) {
  const auto put = [&](std::int64_t hour, std::vector<TickFinding> found) {
    ASSERT_TRUE(Of().PutFindings("rule", At(hour), found));
  };
  put(1, {{.finding = "a", .rows = "[1]"}, {.finding = "b", .rows = "[2]"}});
  put(2, {{.finding = "a", .fires = false, .rows = "[3]"}});
  ASSERT_TRUE(Of().PutFindings("other", At(2), {{.finding = "a", .rows = "[4]"}}));
  const std::vector<TickFinding> of_a = Of().TicksOf("rule", "a").value();
  ASSERT_EQ(of_a.size(), 2U);
  EXPECT_EQ(of_a[0].tick, At(1));
  EXPECT_EQ(of_a[1].rows, "[3]");
  EXPECT_FALSE(of_a[1].fires);
  EXPECT_EQ(Of().LastFired("rule", At(3)).value(), At(1)) << "the second is suppressed";
  ASSERT_TRUE(Of().SetFires("rule", At(2), true));
  EXPECT_EQ(Of().LastFired("rule", At(3)).value(), At(2));
  put(1, {{.finding = "b", .rows = "[5]"}});
  EXPECT_EQ(Of().TicksOf("rule", "a").value().size(), 1U);
  ASSERT_EQ(Of().FindingsAt("rule", At(1)).value().size(), 1U);
  EXPECT_EQ(Of().FindingsAt("rule", At(1)).value()[0].rows, "[5]");
  EXPECT_EQ(Of().Found("rule", At(0)).value().size(), 2U);
  ASSERT_TRUE(Of().Expire(At(2), At(9)));
  EXPECT_EQ(Of().Found("rule", At(0)).value().size(), 1U);
  ASSERT_TRUE(Of().Start("rule", "v2", At(5)));
  EXPECT_TRUE(Of().Found("rule", At(0)).value().empty()) << "another version asks other questions";
  EXPECT_EQ(Of().TicksOf("other", "a").value().size(), 1U);
}

// The states against a plain model, over random histories.
TEST_F(TickStoreTest, AgreesWithAModelThatRemembersEveryTick) {
  std::mt19937 random(7);
  const auto any = [&] { return static_cast<TickState>(random() % 2 == 0 ? 0 : random() % 4); };
  std::map<std::int64_t, TickState> model;
  std::int64_t cursor = 0;
  ASSERT_TRUE(Of().Start("rule", "v1", At(0)));
  for (int step = 0; step < 2000; ++step) {
    const auto hour = static_cast<std::int64_t>(random() % 60);
    switch (random() % 3) {
      case 0: {
        const TickState state = any();
        ASSERT_TRUE(Of().Advance(Row(cursor + 1, state), At(cursor)));
        model[++cursor] = state;
        break;
      }
      case 1: {
        ASSERT_TRUE(Of().MarkDirty("rule", At(cursor - hour), "late", At(1)));
        const auto found = model.find(cursor - hour);
        if (found != model.end() && found->second == TickState::kEvaluated) {
          found->second = TickState::kDirty;
        }
        break;
      }
      default: {
        const TickState state = any();
        const bool settled = Of().Settle(Row(cursor - hour, state)).has_value();
        EXPECT_EQ(settled, model.contains(cursor - hour));
        if (settled) model[cursor - hour] = state;
        break;
      }
    }
  }
  std::vector<std::int64_t> waiting;
  for (auto tick = model.rbegin(); tick != model.rend(); ++tick) {
    EXPECT_EQ(Of().State("rule", At(tick->first)).value(), tick->second) << tick->first;
    if (tick->second == TickState::kPartial || tick->second == TickState::kDirty) {
      waiting.push_back(tick->first);
    }
  }
  EXPECT_EQ(WaitingHours(), waiting);
}

}  // namespace
}  // namespace picket::storage
