#include "storage/ledger.h"

#include <gmock/gmock.h>

#include <random>
#include <set>

#include "tests/storage/store_fixture.h"

namespace picket::storage {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

Instant At(std::int64_t minutes) { return Instant{} + kMinute * minutes; }
Interval Between(std::int64_t from, std::int64_t to) { return {At(from), At(to)}; }

class LedgerTest : public StoreTest {
 protected:
  std::int64_t Add(const std::string& kind, std::int64_t from, std::int64_t to,
                   const std::string& state, int stage = 0, const PageCounts& counts = {}) {
    const std::int64_t id = Of().Open(kStream, kind, At(from), At(to), At(to)).value();
    EXPECT_TRUE(Of().NotePage(id, counts));
    if (state != "open") {
      EXPECT_TRUE(Of().Finish(id, state, At(to + 1), ""));
    }
    EXPECT_TRUE(Of().SetStage(id, stage));
    return id;
  }
  Ledger& Of() { return store->ledger(); }
  StreamProgress Progress() { return Of().Progress(kStream, 4).value(); }
};

TEST(IntervalTest, AreMergedWhereTheyTouch) {
  EXPECT_THAT(Merged({Between(5, 7), Between(1, 2), Between(2, 3), Between(6, 6), Between(6, 9)}),
              ElementsAre(Between(1, 3), Between(5, 9)));
  EXPECT_THAT(Merged({}), IsEmpty());
}

TEST(IntervalTest, GapsAreWhatIsNotCovered) {
  std::mt19937 random(3);
  for (int round = 0; round < 300; ++round) {
    std::set<int> covered;
    std::vector<Interval> intervals;
    for (unsigned i = 0; i < random() % 6; ++i) {
      const int from = static_cast<int>(random() % 30);
      const int to = from + static_cast<int>(random() % 8);
      intervals.push_back(Between(from, to));
      for (int minute = from; minute < to; ++minute) covered.insert(minute);
    }
    std::set<int> missing;
    for (const Interval& gap : Gaps(Between(5, 25), intervals)) {
      EXPECT_LT(gap.from, gap.to);
      for (int minute = 0; minute < 40; ++minute) {
        if (gap.from <= At(minute) && At(minute) < gap.to) missing.insert(minute);
      }
    }
    for (int minute = 5; minute < 25; ++minute) {
      EXPECT_NE(missing.contains(minute), covered.contains(minute)) << "round " << round;
    }
    EXPECT_TRUE(missing.empty() || (*missing.begin() >= 5 && *missing.rbegin() < 25));
  }
}

TEST_F(LedgerTest, ReadToIsTheEndOfTheUnbrokenRunFromTheLiveEdge) {
  EXPECT_FALSE(Progress().read_to) << "nothing was read";
  Add("live", 100, 160, "read");
  Add("backfill", 10, 50, "read");
  EXPECT_EQ(Progress().read_to, At(160));
  Add("live", 170, 180, "read");
  EXPECT_EQ(Progress().read_to, At(160)) << "there is a gap";
  Add("gap", 155, 170, "open");
  EXPECT_EQ(Progress().read_to, At(160)) << "an open window is not read";
  Add("gap", 155, 170, "read");
  EXPECT_EQ(Progress().read_to, At(180));
}

TEST_F(LedgerTest, ALostOrStuckWindowIsAKnownHoleAndHoldsNothingUp) {
  Add("live", 100, 160, "read");
  Add("gap", 160, 170, "lost");
  Add("live", 170, 180, "stuck");
  Add("live", 180, 190, "abandoned");
  EXPECT_EQ(Progress().read_to, At(180));
  EXPECT_EQ(Progress().lost, 1);
}

TEST_F(LedgerTest, CompleteToIsReadToLessTheLateness) {
  Add("live", 0, 6000, "read");
  EXPECT_EQ(Progress().complete_to, At(6000 - 15)) << "at least 15 min";
  // One row of 100 came 100 min late: more than one in a thousand.
  std::vector<Thing> things{{.id = "late", .created = At(5000).ticks}};
  for (int i = 0; i < 99; ++i)
    things.push_back({.id = std::to_string(i), .created = At(6000).ticks});
  Put(things, {.now = At(5100), .read_before = At(6000)});
  EXPECT_EQ(Progress().complete_to, At(6000 - 128));
}

TEST_F(LedgerTest, ReconciledToIsTheFirstWindowThatIsStillToBeReadAgain) {
  Add("live", 0, 10, "read", 4);
  Add("live", 10, 20, "read", 4);
  EXPECT_EQ(Progress().reconciled_to, At(20));
  const std::int64_t third = Add("live", 20, 30, "read", 3);
  EXPECT_EQ(Progress().reconciled_to, At(20));
  EXPECT_THAT(Of().ToReconcile(kStream, 4).value(),
              ElementsAre(::testing::Field(&Window::id, third)));
  ASSERT_TRUE(Of().SetStage(third, 4));
  EXPECT_EQ(Progress().reconciled_to, At(30));
}

TEST_F(LedgerTest, WhatACrashLeftOpenCountsAsNotRead) {
  Add("live", 0, 10, "read");
  Add("live", 10, 20, "open");
  ASSERT_TRUE(Of().AbandonOpen());
  EXPECT_EQ(Progress().read_to, At(10));
  EXPECT_THAT(Of().Windows(kStream, "open").value(), IsEmpty());
}

TEST_F(LedgerTest, AnImportIsRememberedWhenItWasTakenInWhole) {
  const std::int64_t id = Of().Open(kStream, "import", At(0), At(0), At(1)).value();
  EXPECT_FALSE(Of().Imported("hash").value());
  ASSERT_TRUE(Of().Finish(id, "read", At(2), "hash"));
  EXPECT_TRUE(Of().Imported("hash").value());
  EXPECT_FALSE(Of().Imported("other").value());
}

TEST_F(LedgerTest, StreamsDoNotSeeEachOther) {
  Add("live", 0, 10, "read");
  EXPECT_THAT(Of().Windows("another", "").value(), IsEmpty());
  EXPECT_FALSE(Of().Progress("another", 4).value().read_to);
}

TEST_F(LedgerTest, JoiningWindowsChangesNothingThatTheLedgerTells) {
  for (int i = 0; i < 50; ++i) {
    // Neighbours overlap; one is missing, one was lost, the last ones are not settled.
    if (i == 20) continue;
    Add("live", i * 10 - 3, i * 10 + 10, i == 30 ? "lost" : "read", i < 40 ? 4 : 3,
        {.read = i, .added = 1, .late = 2});
    Add("reconcile", i * 10 - 3, i * 10 + 10, "read", 0, {.read = 5, .same = 5});
  }
  const auto sum = [&] {
    PageCounts counts;
    const std::vector<Window> windows = Of().Windows(kStream, "").value();
    for (const Window& window : windows) counts += window.counts;
    return std::tuple(counts.read, counts.added, counts.same, counts.late);
  };
  const StreamProgress before = Progress();
  const auto covered = Of().Covered(kStream).value();
  const auto to_reconcile = Of().ToReconcile(kStream, 4).value().size();
  const auto counts = sum();
  ASSERT_TRUE(Of().Join(At(390)));
  EXPECT_LT(Of().Windows(kStream, "").value().size(), 40U) << "of 98";
  EXPECT_EQ(Progress().read_to, before.read_to);
  EXPECT_EQ(Progress().reconciled_to, before.reconciled_to);
  EXPECT_EQ(Progress().late, before.late);
  EXPECT_EQ(Progress().lost, before.lost);
  EXPECT_EQ(Of().Covered(kStream).value(), covered);
  EXPECT_EQ(Of().ToReconcile(kStream, 4).value().size(), to_reconcile);
  EXPECT_EQ(sum(), counts);
}

TEST_F(LedgerTest, WindowsGoWithTheirEventsButImportsStay) {
  Add("live", 0, 10, "read");
  Add("live", 10, 20, "read");
  Add("import", 0, 0, "read");
  ASSERT_TRUE(Of().Expire(At(15)));
  EXPECT_EQ(Of().Windows(kStream, "").value().size(), 2U);
  EXPECT_EQ(Progress().read_to, At(20));
}

}  // namespace
}  // namespace picket::storage
