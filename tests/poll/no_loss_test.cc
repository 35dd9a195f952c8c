// "No event is lost silently": each test is a way in which one could be.

#include <gtest/gtest.h>

#include <algorithm>

#include "agent/poll/poller.h"
#include "tests/poll/poll_fixture.h"

namespace picket::poll {
namespace {

const Instant kStart = ParseRfc3339("2026-11-24T10:00:00Z").value();
constexpr const char* kInteractive = "signIns.interactive";
constexpr const char* kDetections = "riskDetections";
constexpr const char* kNoLicence =
    R"({"error":{"code":"Authentication_RequestFromNonPremiumTenantOrB2CTenant"}})";

class NoLossTest : public testing::Test {
 protected:
  void Emit(Bench& bench, const std::string& stream, const std::string& id, Instant time,
            Timespan lag = kMinute) const {
    bench.graph.Emit(stream, {.id = id, .time = time, .visible = time + lag});
  }
  // Rounds every five minutes (or what is said) until the time has passed.
  void Play(Bench& bench, Timespan span, Timespan step = kMinute * 5) {
    for (const Instant end = clock.True() + span; clock.True() < end;) {
      clock.Pass(step);
      bench.Round({.all_streams = true});
    }
  }
  static std::size_t UrlsWith(Bench& bench, const std::string& part, std::size_t from = 0) {
    const std::vector<std::string> urls = bench.graph.urls();
    return static_cast<std::size_t>(
        std::count_if(urls.begin() + static_cast<std::ptrdiff_t>(from), urls.end(),
                      [&](const auto& url) { return url.find(part) != std::string::npos; }));
  }
  void ExpectAll(Bench& bench, const std::string& stream) {
    EXPECT_EQ(bench.Stored(stream), bench.Emitted(stream)) << stream;
  }

  // A month of rounds is many thousand commits.
  ScratchDirectory dir{ScratchDirectory::Where::kMemory};
  PlayClock clock{kStart};
};

TEST_F(NoLossTest, ManyEventsOfOneInstantOnAWindowsBorderAndOverPages) {
  Bench bench(clock, dir.path(), "contoso", 1, {kInteractive});
  bench.settings.overlap = {};  // nothing may depend on it
  bench.settings.reconcile_after = {};
  bench.settings.backfill = kHour * 3;
  // The live edge ends at 09:58:00, begins at 08:58:00; pages are of 25 events.
  for (const Instant border : {kStart - kMinute * 2, kStart - kMinute * 62, kStart + kMinute * 3}) {
    for (int i = 0; i < 60; ++i) {
      const Timespan off{std::min(i, 2) - 1};  // a tick of 100 ns before, on, after
      Emit(bench, kInteractive, FormatRfc3339(border) + "/" + std::to_string(i), border + off, {});
    }
    Emit(bench, kInteractive, FormatRfc3339(border) + "/half a millisecond after",
         border + Timespan{5000}, {});
  }
  bench.Round();
  Play(bench, kMinute * 15);
  ExpectAll(bench, kInteractive);
}

TEST_F(NoLossTest, AClockThatIsALittleAheadAsksOnceAndCountsOnlyWhatHasSettled) {
  Bench bench(clock, dir.path(), "contoso", 1, {kInteractive});
  bench.settings.backfill = {};
  bench.settings.reconcile_after = {};
  clock.offset = (kSecond * 40).ticks;
  bench.Round();
  for (int i = 0; i < 6; ++i) {
    // In the part that the window would have ended in.
    Emit(bench, kInteractive, "e" + std::to_string(i), clock.True() + kMinute * 3 - kSecond,
         kMinute * 2 - kSecond);
    clock.Pass(kMinute * 5);
    bench.Restart();
    const int before = bench.graph.requests;
    bench.Round({.all_streams = true});
    EXPECT_EQ(bench.graph.requests, before + 1) << "each process knows Graph's time only then";
    EXPECT_LE(bench.StatusOf(kInteractive).read_to, clock.True() - kMinute * 2 + kSecond);
  }
  Play(bench, kMinute * 10);
  ExpectAll(bench, kInteractive);
}

TEST_F(NoLossTest, ACaptivePortalsClockIsNotGraphs) {
  Bench bench(clock, dir.path(), "contoso", 1, {kInteractive});
  bench.settings.backfill = {};
  bench.Round();
  bench.graph.SetPortal(kStart - kDay * 400);
  Play(bench, kMinute * 40);
  EXPECT_EQ(bench.StatusOf(kInteractive).state, "failing");
  bench.graph.SetPortal(std::nullopt);
  Emit(bench, kInteractive, "e", clock.True() - kMinute);
  Play(bench, kHour);
  ExpectAll(bench, kInteractive);
  EXPECT_GT(bench.StatusOf(kInteractive).read_to, clock.True() - kMinute * 10);
}

TEST_F(NoLossTest, WhatRetentionForgetsIsNotCalledLost) {
  Bench bench(clock, dir.path(), "contoso", 1, {kInteractive, kDetections});
  bench.settings.retention = kDay * 31;
  bench.Round();
  for (int day = 0; day < 60; ++day) {
    clock.Pass(kDay);
    bench.Restart();
    const TenantRound round = bench.Round({.all_streams = true});
    ASSERT_TRUE(round.data_time);
    ASSERT_TRUE(bench.store->Expire(*round.data_time - bench.settings.retention, *round.data_time));
  }
  bench.Restart();
  const std::size_t before = bench.graph.urls().size();
  const TenantRound round = bench.Round({.all_streams = true});
  for (const char* stream : {kInteractive, kDetections}) {
    EXPECT_TRUE(bench.StatusOf(stream).holes.empty()) << stream;
    EXPECT_EQ(bench.StatusOf(stream).state, "ok");
    EXPECT_TRUE(bench.StatusOf(stream).read_to);
  }
  EXPECT_TRUE(round.health.empty());
  EXPECT_LE(bench.graph.urls().size() - before, 6U) << "and is not asked for over and over";
}

TEST_F(NoLossTest, FortyDaysOffLeaveAHoleThatStatusShows) {
  Bench bench(clock, dir.path(), "contoso", 1, {kInteractive});
  bench.settings.backfill = {};
  bench.Round();
  clock.Pass(kDay * 40);
  bench.Restart();
  const TenantRound round = bench.Round();
  const StreamStatus status = bench.StatusOf(kInteractive);
  ASSERT_EQ(status.holes.size(), 1U);
  EXPECT_EQ(status.holes[0].state, "lost");
  EXPECT_EQ(status.holes[0].from, kStart - kMinute * 2);
  const Instant kept = clock.True() - kDay * 30;
  EXPECT_GT(status.holes[0].to, kept - kMinute * 5);
  EXPECT_LT(status.holes[0].to, kept);
  EXPECT_GT(status.read_to, clock.True() - kMinute * 5) << "what could be read was";
  ASSERT_EQ(round.health.size(), 1U);
  EXPECT_EQ(round.health[0].kind, HealthEvent::Kind::kLostWindow);
  // The last windows before were to be read again for late rows. That cannot be done any more.
  const auto windows = bench.store->ledger().Windows(kInteractive, "read").value();
  EXPECT_EQ(windows.back().note, "not read again: older than Graph keeps");
  ASSERT_TRUE(status.reconciled_to);
  EXPECT_GT(*status.reconciled_to, kept - kHour);
}

TEST_F(NoLossTest, AStreamThatWasTurnedOffInTheConfigGoesOnWhereItWas) {
  Bench bench(clock, dir.path(), "contoso", 1, {kInteractive});
  bench.Round();
  bench.tenant.streams = {kDetections};
  bench.Restart();
  for (int i = 0; i < 24 * 10; ++i) {
    Emit(bench, kInteractive, "e" + std::to_string(i), clock.True() + kMinute);
    clock.Pass(kHour);
    if (i % 24 == 0) bench.Round();
  }
  bench.tenant.streams = {};
  bench.Restart();
  bench.Round();
  ExpectAll(bench, kInteractive);
  EXPECT_TRUE(bench.StatusOf(kInteractive).holes.empty());
}

TEST_F(NoLossTest, ALicenceThatComesLaterIsTheFirstContact) {
  Bench bench(clock, dir.path(), "contoso", 1, {kInteractive});
  bench.settings.backfill = kDay * 7;
  bench.graph.Refuse(kInteractive, 403, kNoLicence);
  bench.Round();
  Play(bench, kDay * 40, kHour * 6);
  bench.graph.Refuse(kInteractive, 0);
  for (int day = 0; day < 29; ++day) {
    Emit(bench, kInteractive, "d" + std::to_string(day), clock.True() - kDay * day - kHour);
  }
  clock.Pass(kHour * 2);
  const TenantRound round = bench.Round({.all_streams = true});
  EXPECT_TRUE(round.health.empty()) << "nothing was lost that could be had";
  EXPECT_EQ(bench.StatusOf(kInteractive).state, "ok");
  Play(bench, kHour);
  ExpectAll(bench, kInteractive);
}

TEST_F(NoLossTest, ALicenceThatWasGoneLongerThanTheLedgerRemembersLeavesAHole) {
  Bench bench(clock, dir.path(), "contoso", 1, {kInteractive});
  bench.settings.backfill = {};
  bench.Round();
  bench.graph.Refuse(kInteractive, 403, kNoLicence);
  for (int day = 0; day < 100; ++day) {
    clock.Pass(kDay);
    const TenantRound round = bench.Round({.all_streams = true});
    ASSERT_TRUE(round.data_time);
    ASSERT_TRUE(bench.store->Expire(*round.data_time - bench.settings.retention, *round.data_time));
  }
  EXPECT_TRUE(bench.store->ledger().Windows(kInteractive, "").value().empty());
  bench.graph.Refuse(kInteractive, 0);
  clock.Pass(kDay);
  bench.Restart();
  bench.Round({.all_streams = true});
  const StreamStatus status = bench.StatusOf(kInteractive);
  ASSERT_EQ(status.holes.size(), 1U);
  EXPECT_NEAR(static_cast<double>((status.holes[0].to - status.holes[0].from).ticks) / kDay.ticks,
              60, 1)
      << "what retention would still hold, and Graph does not";
}

TEST_F(NoLossTest, BetaThatComesBackIsUsedAndWhatTheFallbackReadIsReadAgain) {
  Bench bench(clock, dir.path(), "contoso", 1, {kInteractive});
  bench.settings.backfill = {};
  bench.graph.RefuseField("/beta/");
  Emit(bench, kInteractive, "e", kStart - kMinute * 20);
  bench.Round();
  ExpectAll(bench, kInteractive);
  Play(bench, kHour * 70, kHour);  // all that is read again as a matter of course has been
  EXPECT_GE(UrlsWith(bench, "/beta/"), 6U) << "asked for once a day";
  EXPECT_LE(UrlsWith(bench, "/beta/"), 20U);
  bench.graph.RefuseField("");
  bench.graph.Change(kInteractive, "e");  // v1.0 does not tell; beta does
  Play(bench, kHour * 25, kHour);
  const std::size_t before = bench.graph.urls().size();
  Play(bench, kHour);
  EXPECT_EQ(UrlsWith(bench, "/v1.0/", before), 0U);
  EXPECT_NE(bench.JsonOf(kInteractive, "e").find("version-1"), std::string::npos)
      << "its window is three days old, and was read again";
}

TEST_F(NoLossTest, WhatChangedUnseenInTheFallbackIsFoundWhenTheBetterQueryWorks) {
  Bench bench(clock, dir.path(), "contoso", 1, {kDetections});
  bench.settings.backfill = kDay;
  bench.graph.RefuseField("lastUpdatedDateTime");
  Emit(bench, kDetections, "d", kStart - kMinute * 20);
  bench.Round();
  ExpectAll(bench, kDetections);
  Play(bench, kHour * 70, kHour);  // the window of its detection is not read again any more
  // No longer at risk: no sweep will give it, and nothing cites it.
  bench.graph.Change(kDetections, "d", "dismissed");
  Play(bench, kHour * 90, kHour);
  bench.graph.RefuseField("");
  Play(bench, kHour * 30, kHour);
  EXPECT_NE(bench.JsonOf(kDetections, "d").find("dismissed"), std::string::npos);
  const std::size_t before = bench.graph.urls().size();
  Play(bench, kHour, kMinute * 30);
  EXPECT_EQ(UrlsWith(bench, "riskState eq", before), 0U) << "sweeps are not needed any more";
}

TEST_F(NoLossTest, TheFallbackReadsADetectionThatAnOpenAlertCitesAlthoughItIsNotAtRiskAnyMore) {
  Bench bench(clock, dir.path(), "contoso", 1, {kDetections});
  bench.settings.backfill = {};
  bench.graph.RefuseField("lastUpdatedDateTime");
  for (const char* id : {"cited", "closed", "free"}) {
    Emit(bench, kDetections, id, kStart - kMinute * 20);
  }
  bench.Round();
  ExpectAll(bench, kDetections);
  for (const std::string id : {"cited", "closed"}) {
    ASSERT_TRUE(bench.store->alerts().PutFinding({.id = "f" + id,
                                                  .rule = "r",
                                                  .stream = kDetections,
                                                  .event_id = id,
                                                  .state = "active",
                                                  .alert = id}));
    ASSERT_TRUE(bench.store->alerts().PutAlert(
        {.id = id, .rule = "r", .status = id == "cited" ? "new" : "closed"}));
  }
  Play(bench, kHour * 60, kHour);
  for (const char* id : {"cited", "closed", "free"}) {
    bench.graph.Change(kDetections, id, "remediated");
  }
  Play(bench, kHour * 2, kMinute * 30);
  EXPECT_NE(bench.JsonOf(kDetections, "cited").find("remediated"), std::string::npos);
  EXPECT_EQ(UrlsWith(bench, "riskDetections/free"), 0U);
  EXPECT_EQ(UrlsWith(bench, "riskDetections/closed"), 0U);
}

TEST_F(NoLossTest, APageSizeThatTheServiceRefusesIsNotTakenForARefusedQuery) {
  Bench bench(clock, dir.path(), "contoso", 1, {kDetections});
  bench.settings.backfill = {};
  bench.graph.SetLargestTop(250);
  Emit(bench, kDetections, "d", kStart - kMinute * 20);
  bench.Round();
  ExpectAll(bench, kDetections);
  EXPECT_EQ(UrlsWith(bench, "detectedDateTime ge"), 0U) << "no fallback to a poorer query";
  const std::size_t before = bench.graph.urls().size();
  Play(bench, kHour * 20, kHour);
  EXPECT_EQ(UrlsWith(bench, "$top=500", before), 0U) << "it is remembered";
  bench.graph.SetLargestTop(1000);
  Play(bench, kHour * 25, kHour);
  EXPECT_GT(UrlsWith(bench, "$top=500", before), 0U) << "for a day";
}

TEST_F(NoLossTest, ASweepThatIsNeverAnsweredHoldsNothingUp) {
  Bench bench(clock, dir.path(), "contoso", 1, {kDetections});
  bench.settings.backfill = {};
  bench.graph.RefuseField("lastUpdatedDateTime");
  bench.graph.SetSweepsAnswered(false);
  Emit(bench, kDetections, "d", kStart - kMinute * 20);
  bench.Round();
  Emit(bench, kDetections, "later", kStart + kMinute);
  Play(bench, kHour * 3, kMinute * 30);
  ExpectAll(bench, kDetections);
  EXPECT_LE(UrlsWith(bench, "riskState eq"), 60U) << "once an hour, a few tries";
}

TEST_F(NoLossTest, SkiptokensThatExpireInARereadingCutItAndDoNotStopTheLiveEdge) {
  Bench bench(clock, dir.path(), "contoso", 1, {kInteractive});
  bench.settings.backfill = {};
  bench.settings.reconcile_after = {kHour};
  bench.Round();
  for (int i = 0; i < 300; ++i) {  // an hour of twelve pages
    const Instant time = kStart + kSecond * 12 * i;
    Emit(bench, kInteractive, "e" + std::to_string(i), time);
  }
  Play(bench, kHour + kMinute * 10);
  ExpectAll(bench, kInteractive);
  Emit(bench, kInteractive, "late", kStart + kMinute * 30, kHour);
  bench.graph.SetTokenLife(kSecond);  // three pages, with luck
  for (int i = 0; i < 24; ++i) {
    Emit(bench, kInteractive, "live" + std::to_string(i), clock.True() + kMinute);
    Play(bench, kMinute * 5);
    EXPECT_GT(bench.StatusOf(kInteractive).read_to, clock.True() - kMinute * 10) << i;
    EXPECT_EQ(bench.StatusOf(kInteractive).state, "ok") << i;
  }
  EXPECT_GT(bench.StatusOf(kInteractive).reconciled_to, kStart + kHour) << "to its end";
  EXPECT_TRUE(bench.Stored(kInteractive).contains("late"));
  EXPECT_EQ(bench.StatusOf(kInteractive).late, 1);
}

TEST_F(NoLossTest, AnEventFromTheFutureIsReadWhenItsTimeHasCome) {
  Bench bench(clock, dir.path(), "contoso", 1, {kInteractive});
  bench.settings.backfill = {};
  bench.settings.overlap = {};
  bench.settings.reconcile_after = {};
  Emit(bench, kInteractive, "ahead", kStart + kMinute * 30, kMinute * -40);
  bench.Round();
  EXPECT_TRUE(bench.Stored(kInteractive).empty());
  Play(bench, kMinute * 40);
  ExpectAll(bench, kInteractive);
}

TEST_F(NoLossTest, AFullTenantLeavesNoWindowOpenAndReadsOnWhenThereIsRoom) {
  Bench bench(clock, dir.path(), "contoso", 1, {kInteractive});
  bench.max_bytes = 1;
  Emit(bench, kInteractive, "e", kStart - kMinute * 20);
  const TenantRound round = bench.Round();
  EXPECT_EQ(round.health.at(0).kind, HealthEvent::Kind::kFull);
  Play(bench, kHour * 2);
  EXPECT_TRUE(bench.store->ledger().Windows(kInteractive, "open").value().empty());
  EXPECT_FALSE(bench.StatusOf(kInteractive).read_to);
  bench.max_bytes = 0;
  bench.Restart();
  Play(bench, kHour);
  ExpectAll(bench, kInteractive);
}

TEST_F(NoLossTest, WhatTimeItIsAtGraphIsToldOnlyWhenGraphSaidIt) {
  Bench bench(clock, dir.path(), "contoso", 1, {kInteractive});
  bench.settings.backfill = {};
  clock.offset = (kDay * 120).ticks;
  bench.graph.SetFaults({.reset = 1000});
  EXPECT_FALSE(bench.Round().data_time) << "retention must not go by a clock that may be ahead";
  bench.graph.SetFaults({});
  Play(bench, kHour);
  const TenantRound round = bench.Round({.all_streams = true});
  ASSERT_TRUE(round.data_time);
  EXPECT_LE(*round.data_time, clock.True() + kSecond);
}

TEST_F(NoLossTest, AWindowThatStayedStuckUntilGraphForgotItIsLost) {
  Bench bench(clock, dir.path(), "contoso", 1, {kInteractive});
  bench.settings.backfill = {};
  bench.settings.first_window = kMinute * 2;
  bench.graph.SetWidestSpan(kSecond);
  bench.Round();
  EXPECT_EQ(bench.StatusOf(kInteractive).holes.at(0).state, "stuck");
  bench.graph.SetWidestSpan(kDay);
  bench.graph.Refuse(kInteractive, 503);
  Play(bench, kDay * 31, kHour * 8);
  bench.graph.Refuse(kInteractive, 0);
  Play(bench, kHour * 2, kHour);
  std::set<std::string> states;
  for (const Hole& hole : bench.StatusOf(kInteractive).holes) states.insert(hole.state);
  EXPECT_EQ(states, (std::set<std::string>{"lost"}));
  EXPECT_EQ(bench.StatusOf(kInteractive).state, "ok");
}

TEST_F(NoLossTest, AStreamThatWasNeverReadIsStalled) {
  Bench bench(clock, dir.path(), "contoso", 1, {kInteractive});
  bench.graph.Refuse(kInteractive, 500);
  bench.Round();
  Play(bench, kHour * 3, kMinute * 30);
  const TenantRound round = bench.Round({.all_streams = true});
  ASSERT_EQ(round.health.size(), 1U);
  EXPECT_EQ(round.health[0].kind, HealthEvent::Kind::kStalled);
}

// The newest part of the first hour is read first. Until the rest is, nothing counts as unbroken.
TEST_F(NoLossTest, ReadToCountsFromTheFirstContact) {
  Bench bench(clock, dir.path(), "contoso", 1, {kInteractive});
  bench.Restart();
  storage::Ledger& ledger = bench.store->ledger();
  const auto read = [&](const char* kind, Instant from, Instant to) {
    const auto window = ledger.Open(kInteractive, kind, from, to, to);
    ASSERT_TRUE(ledger.Finish(*window, "read", to, ""));
  };
  ASSERT_TRUE(ledger.NoteContact(kInteractive, kStart, kStart));
  read("live", kStart + kHour, kStart + kHour * 2);
  EXPECT_FALSE(bench.StatusOf(kInteractive).read_to);
  read("gap", kStart, kStart + kHour);
  EXPECT_EQ(bench.StatusOf(kInteractive).read_to, kStart + kHour * 2);
}

}  // namespace
}  // namespace picket::poll
