#include <gtest/gtest.h>

#include "agent/poll/poller.h"
#include "tests/poll/poll_fixture.h"

namespace picket::poll {
namespace {

const Instant kStart = ParseRfc3339("2026-11-24T10:00:00Z").value();
constexpr const char* kInteractive = "signIns.interactive";
constexpr const char* kNonInteractive = "signIns.nonInteractive";

class PollTest : public testing::Test {
 protected:
  // Events evenly spread over the time, visible one minute after they happened.
  static void EmitSpread(Bench& bench, const std::string& stream, Instant from, Instant to,
                         int count, const std::string& prefix) {
    for (int i = 0; i < count; ++i) {
      const Instant time = from + Timespan{(to - from).ticks / count * i};
      bench.graph.Emit(stream,
                       {.id = prefix + std::to_string(i), .time = time, .visible = time + kMinute});
    }
  }

  // A month of rounds is many thousand commits.
  ScratchDirectory dir{ScratchDirectory::Where::kMemory};
  PlayClock clock{kStart};
};

TEST_F(PollTest, FirstContactReadsTheLiveEdgeThenBackfillsNewestFirst) {
  Bench bench(clock, dir.path(), "contoso", 1, {kInteractive});
  EmitSpread(bench, kInteractive, kStart - kDay * 5, kStart - kMinute * 5, 500, "e");
  const TenantRound round = bench.Round();
  EXPECT_TRUE(round.errors.empty());
  // Two days of backfill are asked for: what is older is not read, what is younger is, whole.
  std::set<std::string> expected;
  for (const auto& [id, event] : bench.graph.Events(kInteractive)) {
    if (event.time >= kStart - kDay * 2 - kMinute * 2) expected.insert(id);
  }
  EXPECT_EQ(bench.Stored(kInteractive), expected);
  const auto windows = bench.store->ledger().Windows(kInteractive, "read").value();
  ASSERT_GE(windows.size(), 3U);
  EXPECT_EQ(windows.back().kind, "live");
  for (std::size_t i = 1; i < windows.size(); ++i) {
    EXPECT_GE(windows[i].to, windows[i - 1].to) << "newest first (the list is newest last)";
  }
  EXPECT_EQ(bench.StatusOf(kInteractive).read_to, kStart - kMinute * 2);
}

TEST_F(PollTest, NothingIsDueBeforeTheIntervalUnlessItWasStretchedAndAllAreAskedFor) {
  Bench bench(clock, dir.path(), "contoso", 1, {kInteractive});
  bench.settings.backfill = {};
  EXPECT_TRUE(bench.Round().polled);
  const int before = bench.graph.requests;
  clock.Pass(kMinute);
  EXPECT_FALSE(bench.Round().polled);
  EXPECT_EQ(bench.graph.requests, before);
  clock.Pass(kDay);
  EXPECT_TRUE(bench.Round().polled);
  clock.Pass(kMinute * 10);
  EXPECT_FALSE(bench.Round().polled) << "quiet for a day";
  EXPECT_TRUE(bench.Round({.all_streams = true}).polled);
}

TEST_F(PollTest, DowntimeLosesNothing) {
  Bench bench(clock, dir.path(), "contoso", 1, {kInteractive});
  bench.Round();
  clock.Pass(kDay * 3);
  EmitSpread(bench, kInteractive, kStart, clock.True() - kMinute * 5, 300, "down");
  bench.Restart();
  bench.Round();
  EXPECT_EQ(bench.Stored(kInteractive), bench.Emitted(kInteractive));
  const StreamStatus status = bench.StatusOf(kInteractive);
  EXPECT_EQ(status.state, "ok");
  ASSERT_TRUE(status.read_to);
  EXPECT_GT(*status.read_to, kStart + kDay * 3 - kMinute * 5);
}

TEST_F(PollTest, WhatGraphNoLongerKeepsIsRecordedAsLostAndReported) {
  Bench bench(clock, dir.path(), "contoso", 1, {kInteractive});
  bench.settings.backfill = {};
  bench.Round();
  clock.Pass(kDay * 40);
  const TenantRound round = bench.Round();
  const auto lost = bench.store->ledger().Windows(kInteractive, "lost").value();
  ASSERT_EQ(lost.size(), 1U);
  EXPECT_EQ(lost[0].from, kStart - kMinute * 2);
  ASSERT_FALSE(round.health.empty());
  EXPECT_EQ(round.health[0].kind, HealthEvent::Kind::kLostWindow);
  EXPECT_EQ(bench.StatusOf(kInteractive).state, "ok");
}

TEST_F(PollTest, LateRowsAreFoundByReconciliationAndCounted) {
  Bench bench(clock, dir.path(), "contoso", 1, {kInteractive});
  bench.Round();
  // It happened an hour ago, and Graph shows it in three hours.
  bench.graph.Emit(kInteractive,
                   {.id = "late", .time = kStart - kMinute * 30, .visible = kStart + kHour * 3});
  for (int i = 0; i < 12 * 8; ++i) {
    clock.Pass(kMinute * 5);
    bench.Round({.all_streams = true});
  }
  EXPECT_TRUE(bench.Stored(kInteractive).contains("late"));
  EXPECT_EQ(bench.StatusOf(kInteractive).late, 1);
}

TEST_F(PollTest, AWrongClockAheadNeverCountsTheFutureAsRead) {
  Bench bench(clock, dir.path(), "contoso", 1, {kInteractive});
  clock.offset = kDay.ticks;
  EmitSpread(bench, kInteractive, kStart - kHour, kStart - kMinute * 5, 20, "a");
  const TenantRound round = bench.Round();
  EXPECT_EQ(bench.Stored(kInteractive), bench.Emitted(kInteractive));
  const auto read_to = bench.StatusOf(kInteractive).read_to;
  ASSERT_TRUE(read_to);
  EXPECT_LE(*read_to, clock.True() - kMinute);
  ASSERT_FALSE(round.health.empty());
  EXPECT_EQ(round.health[0].kind, HealthEvent::Kind::kClock);

  clock.offset = -kDay.ticks;  // now it is behind: nothing new can be read, nothing is lost
  clock.Pass(kMinute * 10);
  EmitSpread(bench, kInteractive, kStart, kStart + kMinute * 5, 5, "b");
  bench.Restart();
  bench.Round();
  clock.offset = 0;
  clock.Pass(kMinute * 10);
  bench.Round();
  EXPECT_EQ(bench.Stored(kInteractive), bench.Emitted(kInteractive));
}

TEST_F(PollTest, AClockThatIsMonthsAheadNeitherDeclaresLossesNorRefusesEvents) {
  Bench bench(clock, dir.path(), "contoso", 1, {kInteractive});
  bench.settings.backfill = {};
  bench.Round();
  clock.offset = (kDay * 120).ticks;
  clock.Pass(kMinute * 20);
  EmitSpread(bench, kInteractive, kStart, clock.True() - kMinute * 4, 20, "e");
  bench.Restart();
  const TenantRound round = bench.Round();
  EXPECT_EQ(bench.Stored(kInteractive), bench.Emitted(kInteractive));
  EXPECT_TRUE(bench.store->ledger().Windows(kInteractive, "lost").value().empty());
  EXPECT_EQ(round.Total().expired, 0);
}

TEST_F(PollTest, WideWindowsThatGraphDoesNotAnswerAreHalved) {
  Bench bench(clock, dir.path(), "contoso", 1, {kInteractive});
  EmitSpread(bench, kInteractive, kStart - kDay, kStart - kMinute * 5, 200, "e");
  bench.graph.SetWidestSpan(kMinute * 20);
  bench.settings.backfill = kHour * 3;
  bench.settings.once_backfill = kDay;
  bench.Round();
  std::set<std::string> expected;
  for (const auto& [id, event] : bench.graph.Events(kInteractive)) {
    if (event.time >= kStart - kHour * 3 - kMinute * 2) expected.insert(id);
  }
  EXPECT_EQ(bench.Stored(kInteractive), expected);
  EXPECT_EQ(bench.StatusOf(kInteractive).state, "ok");
}

TEST_F(PollTest, AWindowThatIsNeverAnsweredIsPassedByAndReadLater) {
  Bench bench(clock, dir.path(), "contoso", 1, {kInteractive});
  bench.settings.backfill = {};
  bench.settings.first_window = kMinute * 2;
  bench.graph.Emit(kInteractive,
                   {.id = "e", .time = kStart - kMinute * 3, .visible = kStart - kMinute * 2});
  bench.graph.SetWidestSpan(kSecond);
  const TenantRound round = bench.Round();
  EXPECT_EQ(bench.StatusOf(kInteractive).state, "stuck");
  EXPECT_EQ(round.health.at(0).kind, HealthEvent::Kind::kStuck);
  EXPECT_TRUE(bench.Stored(kInteractive).empty());
  bench.graph.SetWidestSpan(kDay);
  clock.Pass(kHour * 2);
  bench.Round({.all_streams = true});
  EXPECT_EQ(bench.Stored(kInteractive), (std::set<std::string>{"e"}));
  EXPECT_EQ(bench.StatusOf(kInteractive).state, "ok");
}

TEST_F(PollTest, AMissingPermissionTurnsTheStreamOffSaysWhatToGrantAndHealsBySlowProbes) {
  Bench bench(clock, dir.path(), "contoso", 1, {kInteractive, "directoryAudits"});
  bench.settings.backfill = {};
  bench.graph.Refuse(kInteractive, 403,
                     R"({"error":{"code":"Authentication_MSGraphPermissionMissing"}})");
  const TenantRound round = bench.Round();
  EXPECT_EQ(bench.StatusOf(kInteractive).state, "off");
  EXPECT_NE(bench.StatusOf(kInteractive).reason.find("AuditLog.Read.All"), std::string::npos);
  EXPECT_EQ(bench.StatusOf("directoryAudits").state, "ok") << "the other stream is read";
  ASSERT_EQ(round.health.size(), 1U);
  EXPECT_EQ(round.health[0].key(), "permission/signIns.interactive");
  bench.graph.Refuse(kInteractive, 0);
  clock.Pass(kMinute * 5);
  bench.Round();
  EXPECT_EQ(bench.StatusOf(kInteractive).state, "off") << "probed slowly";
  clock.Pass(kMinute * 20);
  EXPECT_TRUE(bench.Round().health.empty());
  EXPECT_EQ(bench.StatusOf(kInteractive).state, "ok");
}

TEST_F(PollTest, ALicenceErrorOfAStreamThatWorkedIsBelievedOnlyWhenItStays) {
  Bench bench(clock, dir.path(), "contoso", 1, {kInteractive});
  bench.settings.backfill = {};
  bench.Round();
  bench.graph.Refuse(
      kInteractive, 403,
      R"({"error":{"code":"Authentication_RequestFromNonPremiumTenantOrB2CTenant"}})");
  clock.Pass(kMinute * 31);
  bench.Round();
  EXPECT_EQ(bench.StatusOf(kInteractive).state, "failing");
  for (int i = 0; i < 3; ++i) {
    clock.Pass(kMinute * 16);
    bench.Round();
  }
  EXPECT_EQ(bench.StatusOf(kInteractive).state, "off");
}

constexpr const char* kNoPremium =
    R"({"error":{"code":"Authentication_RequestFromNonPremiumTenantOrB2CTenant"}})";

std::size_t AskedFor(Bench& bench, const std::string& path) {
  std::size_t count = 0;
  for (const std::string& url : bench.graph.urls()) {
    if (url.find(path) != std::string::npos) ++count;
  }
  return count;
}

// One of "all": asked for after 15 min, 30 min, 1 h, … and at last once a day.
TEST_F(PollTest, AStreamThatTheLicenceNeverGaveIsNoFailureAndIsAskedForEverMoreRarely) {
  Bench bench(clock, dir.path(), "contoso", 1, {});
  bench.settings.backfill = {};
  bench.graph.Refuse("riskyUsers", 403, kNoPremium);
  std::vector<std::size_t> by_day;
  for (int day = 0; day < 4; ++day) {
    const std::size_t before = AskedFor(bench, "riskyUsers");
    for (int round = 0; round < 48; ++round) {
      const TenantRound done = bench.Round({.all_streams = true});
      EXPECT_TRUE(done.errors.empty());
      EXPECT_TRUE(done.held.empty());
      EXPECT_TRUE(done.well);
      ASSERT_EQ(done.unlicensed.size(), 1U);
      EXPECT_EQ(done.unlicensed[0].stream, "riskyUsers");
      EXPECT_NE(done.unlicensed[0].error.hint.find("P2"), std::string::npos);
      clock.Pass(kMinute * 30);
    }
    by_day.push_back(AskedFor(bench, "riskyUsers") - before);
  }
  EXPECT_GE(by_day[0], 5U);
  EXPECT_LE(by_day[0], 8U);
  EXPECT_EQ(by_day[3], 1U);
  EXPECT_FALSE(bench.StatusOf("riskyUsers").licensed);
  bench.graph.Refuse("riskyUsers", 0);
  clock.Pass(kDay);
  const TenantRound licensed = bench.Round({.all_streams = true});
  EXPECT_TRUE(licensed.unlicensed.empty());
  EXPECT_EQ(bench.StatusOf("riskyUsers").state, "ok");
  EXPECT_TRUE(bench.StatusOf("riskyUsers").licensed);
}

TEST_F(PollTest, AStreamOfAllThatWasReadAndIsNotLicensedAnyMoreIsAFailure) {
  Bench bench(clock, dir.path(), "contoso", 1, {});
  bench.settings.backfill = {};
  bench.Round();
  bench.graph.Refuse("riskyUsers", 403, kNoPremium);
  for (int i = 0; i < 5; ++i) {
    clock.Pass(kMinute * 31);
    const TenantRound round = bench.Round({.all_streams = true});
    EXPECT_TRUE(round.unlicensed.empty());
    EXPECT_TRUE(round.errors.contains("riskyUsers") || !round.held.empty());
  }
  EXPECT_EQ(bench.StatusOf("riskyUsers").state, "off");
}

TEST_F(PollTest, WithoutAnySignInsATenantIsNotWatchedAndThatIsAFailure) {
  Bench bench(clock, dir.path(), "contoso", 1, {});
  bench.settings.backfill = {};
  for (const char* stream : {kInteractive, "signIns.nonInteractive", "signIns.servicePrincipal",
                             "signIns.managedIdentity"}) {
    bench.graph.Refuse(stream, 403, kNoPremium);
  }
  const TenantRound round = bench.Round();
  EXPECT_TRUE(round.unlicensed.empty());
  EXPECT_EQ(round.errors.size(), 4U);
}

TEST_F(PollTest, InteractiveSignInsFallBackToV1WhenBetaRefuses) {
  Bench bench(clock, dir.path(), "contoso", 1, {kInteractive});
  EmitSpread(bench, kInteractive, kStart - kHour, kStart - kMinute * 5, 30, "e");
  bench.graph.Refuse(kInteractive, 400, R"({"error":{"code":"BadRequest","message":"no beta"}})");
  bench.Round();
  EXPECT_EQ(bench.StatusOf(kInteractive).state, "off") << "both variants are refused here";
  bool v1 = false;
  for (const std::string& url : bench.graph.urls()) {
    v1 = v1 || url.find("/v1.0/auditLogs/signIns") != std::string::npos;
  }
  EXPECT_TRUE(v1);
}

TEST_F(PollTest, DetectionsAreCutByUpdateTimeElseByDetectionTimeAndThatIsRemembered) {
  Bench bench(clock, dir.path(), "contoso", 1, {"riskDetections"});
  bench.settings.backfill = {};
  bench.graph.Emit("riskDetections", {.id = "d", .time = kStart - kMinute * 20, .visible = kStart});
  bench.graph.RefuseField("lastUpdatedDateTime");
  bench.Round();
  EXPECT_EQ(bench.Stored("riskDetections"), (std::set<std::string>{"d"}));
  bench.Restart();
  clock.Pass(kMinute * 40);
  const std::size_t before = bench.graph.urls().size();
  bench.Round();
  const auto urls = bench.graph.urls();
  ASSERT_GT(urls.size(), before);
  for (std::size_t i = before; i < urls.size(); ++i) {
    EXPECT_EQ(urls[i].find("lastUpdatedDateTime"), std::string::npos) << urls[i];
  }
}

TEST_F(PollTest, ANewDetectionFetchesItsSignInAgain) {
  Bench bench(clock, dir.path(), "contoso", 1, {kNonInteractive, "riskDetections"});
  bench.settings.backfill = {};
  bench.graph.Emit(kNonInteractive, {.id = "s", .time = kStart - kMinute * 20, .visible = kStart});
  bench.Round();
  ASSERT_NE(bench.JsonOf(kNonInteractive, "s").find("version-0"), std::string::npos);
  clock.Pass(kMinute * 40);
  bench.graph.Change(kNonInteractive, "s");
  bench.graph.Emit("riskDetections", {.id = "d",
                                      .time = clock.True() - kMinute * 5,
                                      .visible = clock.True(),
                                      .version = 0,
                                      .request_id = "s"});
  bench.Round({.all_streams = true});
  EXPECT_NE(bench.JsonOf(kNonInteractive, "s").find("version-1"), std::string::npos);
}

TEST_F(PollTest, RetryAfterHoldsAcrossProcesses) {
  Bench bench(clock, dir.path(), "contoso", 1, {kInteractive});
  bench.settings.backfill = {};
  bench.Restart();
  ASSERT_TRUE(bench.budgets->Hold({.app = "app", .tenant = ToString(bench.tenant.id)}, kMinute * 3,
                                  "Retry-After"));
  bench.Restart();
  bench.Round();
  EXPECT_EQ(bench.graph.requests, 0);
  EXPECT_EQ(bench.StatusOf(kInteractive).state, "throttled");
  clock.Pass(kMinute * 4);
  bench.Round();
  EXPECT_EQ(bench.StatusOf(kInteractive).state, "ok");
}

TEST_F(PollTest, NoTenSecondsHoldMoreThanFourRequests) {
  // One lane only: the other one's sleeping would move the time between taking and sending.
  Bench bench(clock, dir.path(), "contoso", 1, {kInteractive, kNonInteractive});
  EmitSpread(bench, kInteractive, kStart - kDay * 2, kStart - kMinute * 5, 1000, "e");
  bench.Round();
  bench.Restart();
  clock.Pass(kMinute * 5);
  bench.Round();
  std::vector<Instant> times;
  const auto urls = bench.graph.urls();
  const auto all = bench.graph.times();
  for (std::size_t i = 0; i < urls.size(); ++i) {
    if (urls[i].find("auditLogs") != std::string::npos) times.push_back(all[i]);
  }
  ASSERT_GT(times.size(), 20U);
  for (std::size_t i = 4; i < times.size(); ++i) {
    EXPECT_GT(times[i] - times[i - 4], kSecond * 10 - kMillisecond * 400);
  }
}

TEST_F(PollTest, ARequestThatIsSentAgainWithANewTokenCountsToo) {
  Bench bench(clock, dir.path(), "contoso", 1, {"riskDetections", "riskyUsers"});
  bench.graph.SetFaults({.unauthorized = 300});
  for (int round = 0; round < 10; ++round) {
    bench.Round({.all_streams = true});
    clock.Pass(kMinute * 10);
  }
  ASSERT_GT(bench.tokens.generation, 5);
  const std::vector<Instant> times = bench.graph.times();
  for (std::size_t i = 1; i < times.size(); ++i) EXPECT_GT(times[i] - times[i - 1], kSecond);
}

TEST_F(PollTest, AForeignNextLinkEndsTheStreamsRoundAndSendsNothingThere) {
  Bench bench(clock, dir.path(), "contoso", 1, {kInteractive});
  EmitSpread(bench, kInteractive, kStart - kHour, kStart - kMinute * 5, 100, "e");
  bench.graph.next_link_host = "https://evil.example";
  const TenantRound round = bench.Round();
  EXPECT_EQ(bench.graph.token_leaks, 0);
  EXPECT_TRUE(round.errors.contains(kInteractive));
  EXPECT_FALSE(bench.StatusOf(kInteractive).read_to) << "the window was not read to its end";
}

TEST_F(PollTest, OneTenantThatHangsDelaysNoOther) {
  Bench slow(clock, dir.path(), "slow", 1, {kInteractive});
  Bench quick(clock, dir.path(), "quick", 2, {kInteractive});
  EmitSpread(quick, kInteractive, kStart - kHour, kStart - kMinute * 5, 100, "e");
  slow.Restart();
  quick.Restart();
  slow.graph.hangs = true;
  std::stop_source stop;
  std::mutex mutex;
  std::vector<std::string> done;
  const auto rounds = RunRound(
      {slow.poller.get(), quick.poller.get()}, quick.settings, {}, clock,
      [&](TenantPoller& poller, const TenantRound&) {
        const std::lock_guard lock(mutex);
        done.push_back(poller.tenant().name);
        stop.request_stop();  // the other one would hang for ever
      },
      stop.get_token());
  EXPECT_EQ(done, (std::vector<std::string>{"quick"}));
  EXPECT_EQ(quick.Stored(kInteractive), quick.Emitted(kInteractive));
  ASSERT_EQ(rounds.size(), 2U);
  EXPECT_GT(rounds[1].Total().added, 0);
  EXPECT_EQ(rounds[0].Total().added, 0);
}

TEST_F(PollTest, ATenantThatIsRefusedOrFullDelaysNoOther) {
  Bench refused(clock, dir.path(), "refused", 1, {});
  Bench full(clock, dir.path(), "full", 2, {kInteractive});
  Bench fine(clock, dir.path(), "fine", 3, {kInteractive});
  full.max_bytes = 1;
  EmitSpread(full, kInteractive, kStart - kHour, kStart - kMinute * 5, 100, "e");
  EmitSpread(fine, kInteractive, kStart - kHour, kStart - kMinute * 5, 100, "e");
  for (Bench* bench : {&refused, &full, &fine}) bench->Restart();
  refused.tokens.refused = true;
  const auto rounds = RunRound({refused.poller.get(), full.poller.get(), fine.poller.get()},
                               fine.settings, {}, clock, nullptr, {});
  ASSERT_EQ(rounds.size(), 3U);
  EXPECT_EQ(rounds[0].health.at(0).kind, HealthEvent::Kind::kAuth);
  EXPECT_EQ(rounds[0].errors.at("").kind, ErrorKind::kAuth);
  EXPECT_EQ(refused.graph.requests, 0);
  EXPECT_EQ(rounds[1].health.at(0).kind, HealthEvent::Kind::kFull);
  EXPECT_TRUE(full.Stored(kInteractive).empty());
  EXPECT_TRUE(rounds[2].health.empty());
  EXPECT_EQ(fine.Stored(kInteractive), fine.Emitted(kInteractive));

  // The operator has mended both: nothing was lost meanwhile.
  refused.tokens.refused = false;
  full.max_bytes = 0;
  full.Restart();
  clock.Pass(kMinute * 2);
  EXPECT_TRUE(refused.Round().health.empty());
  full.Round();
  EXPECT_EQ(full.Stored(kInteractive), full.Emitted(kInteractive));
}

TEST_F(PollTest, AnUnreachableGraphFailsAllStreamsAfterOneStreamsPatience) {
  Bench bench(clock, dir.path(), "contoso", 1, {kInteractive, kNonInteractive, "directoryAudits"});
  bench.graph.SetFaults({.reset = 1000});
  const TenantRound round = bench.Round();
  EXPECT_EQ(round.errors.size(), 3U);
  EXPECT_EQ(bench.graph.requests, 5);
  const int before = bench.graph.requests;
  bench.Restart();
  bench.Round();
  EXPECT_EQ(bench.graph.requests, before) << "the breaker holds across processes";
}

TEST_F(PollTest, RunGoesRoundUntilStopAndPollsWhenDue) {
  Bench bench(clock, dir.path(), "contoso", 1, {kInteractive});
  bench.settings.backfill = {};
  EmitSpread(bench, kInteractive, kStart, kStart + kHour, 60, "e");
  bench.Restart();
  std::stop_source stop;
  int rounds = 0;
  RunForever(
      {bench.poller.get()}, bench.settings, {}, clock,
      [&](TenantPoller&, const TenantRound& round) {
        EXPECT_TRUE(round.polled || rounds > 0);
        ++rounds;
        if (clock.True() > kStart + kHour + kMinute * 20) stop.request_stop();
      },
      stop.get_token());
  EXPECT_EQ(bench.Stored(kInteractive), bench.Emitted(kInteractive));
  EXPECT_GT(rounds, 10);
}

TEST_F(PollTest, WhoWatchesSeesEachPageOfALongRound) {
  Bench bench(clock, dir.path(), "contoso", 1, {kInteractive});
  EmitSpread(bench, kInteractive, kStart - kDay * 2, kStart - kMinute * 5, 3000, "e");
  std::map<std::string, std::int64_t> pages;
  std::int64_t rows = 0;
  const TenantRound round = bench.Round({.on_page = [&](const PageNote& note) {
    ++pages[std::string(note.kind)];
    EXPECT_EQ(note.tenant, "contoso");
    EXPECT_EQ(note.stream, kInteractive);
    EXPECT_LT(note.from, note.to);
    EXPECT_GE(note.rows, rows);
    rows = note.rows;
  }});
  EXPECT_EQ(rows, round.Total().read);
  EXPECT_GE(pages["live"], 1);
  EXPECT_GE(pages["backfill"], 3);
}

TEST_F(PollTest, CountsReconcile) {
  Bench bench(clock, dir.path(), "contoso", 1, {kInteractive});
  EmitSpread(bench, kInteractive, kStart - kHour, kStart - kMinute * 5, 100, "e");
  const storage::PageCounts counts = bench.Round().Total();
  EXPECT_EQ(counts.added, 100);
  EXPECT_EQ(counts.read, counts.added + counts.changed + counts.same + counts.poorer +
                             counts.rejected + counts.expired);
}

TEST_F(PollTest, AnUnknownStreamIsAnErrorOfTheConfig) {
  Bench bench(clock, dir.path(), "contoso", 1, {kInteractive});
  bench.Restart();
  TenantSettings bad = bench.tenant;
  bad.streams = {"signins"};
  TenantPoller poller(bad, bench.settings, *bench.store, *bench.client, *bench.budgets, clock);
  const Status loaded = poller.Load();
  ASSERT_FALSE(loaded);
  EXPECT_EQ(loaded.error().kind, ErrorKind::kInvalidConfig);
}

}  // namespace
}  // namespace picket::poll
