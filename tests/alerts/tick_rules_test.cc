// What a rule by ticks does when rows are missing, late or changed, and what becomes of its alerts.

#include "agent/alerts/tick_rules.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <random>

#include "agent/rules/tick.h"
#include "agent/tables/event_table_source.h"
#include "base/text.h"
#include "storage/crash_points.h"
#include "tests/alerts/tick_fixture.h"

namespace picket::alerts {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

TEST_F(TickRulesTest, ARuleThatCountsRaisesAnAlertAtItsTick) {
  Begin(Spray());
  Fail(kAda, {At(0, 10), At(0, 20), At(0, 50)});
  Fail(kBob, {At(0, 10), At(0, 20), At(1, 10)});
  EXPECT_EQ(Live(At(0, 59)).ticks, 0) << "the hour is not over";
  const AlertCounts counts = Live(At(1, 5));
  EXPECT_EQ(counts.ticks, 1);
  EXPECT_EQ(counts.findings, 1);
  EXPECT_EQ(counts.alerts, 1);
  EXPECT_EQ(counts.incidents, 1);
  ASSERT_EQ(Alerts().size(), 1U);
  EXPECT_EQ(Alerts()[0].entity.id, kAda);
  EXPECT_EQ(Alerts()[0].first_seen, At(1));
  ASSERT_EQ(Alerts()[0].evidence.size(), 1U);
  EXPECT_EQ(Alerts()[0].evidence[0].Column("Failures"), "3");
  EXPECT_EQ(Live(At(1, 30)).ticks, 0) << "once";
}

TEST_F(TickRulesTest, TheNextBucketsFindingJoinsTheAlert) {
  Begin(Spray(1));
  Fail(kAda, {At(0, 10), At(1, 10), At(2, 10)});
  Live(At(3, 5));
  ASSERT_EQ(Alerts().size(), 1U);
  EXPECT_EQ(Alerts()[0].count, 3);
  EXPECT_EQ(Alerts()[0].first_seen, At(1));
  EXPECT_EQ(Alerts()[0].last_seen, At(3));
}

TEST_F(TickRulesTest, MissedTicksRunInOrderEachWithItsOwnNow) {
  Begin(TickRule("now",
                 "SigninLogs | where TimeGenerated > ago(10m) | summarize Last = "
                 "max(TimeGenerated), Now = max(now()) by UserPrincipalName",
                 kHour, kHour));
  Fail(kAda, {At(0, 55), At(1, 30), At(2, 56)});
  EXPECT_EQ(Live(At(60)).ticks, 59) << "a weekend of downtime";
  EXPECT_THAT(Found(), UnorderedElementsAre(HasSubstr("13:00:00.0000000Z\"}"),
                                            HasSubstr("15:00:00.0000000Z\"}")));
}

TEST_F(TickRulesTest, AnAbsenceRuleFindsNothingFalseBetweenTheFirstPageAndTheNinth) {
  Begin(TickRule("absence",
                 "SigninLogs | where AppDisplayName == 'Vault' | join kind=leftanti (SigninLogs | "
                 "where AppDisplayName == 'Approval') on UserPrincipalName",
                 kHour, kHour));
  // Pages come newest first, so that the approval stands on the last one.
  for (int page = 1; page <= 9; ++page) {
    std::vector<SignIn> rows;
    for (int i = 0; i < 3; ++i) {
      const bool last = page == 9 && i == 2;
      rows.push_back({.id = fmt::format("p{}r{}", page, i),
                      .time = At(0, 59 - page * 5 - i),
                      .app = last ? "Approval" : "Vault"});
    }
    world_.Store(rows);
    EXPECT_EQ(Turn(At(1, 5)).findings, 0) << "page " << page;
    EXPECT_EQ(Turn(At(1, 5)).ticks, 0) << "page " << page;
  }
  ReadTo(At(1, 3));
  EXPECT_EQ(Turn(At(1, 5)).ticks, 1);
  EXPECT_THAT(Found(), IsEmpty());
  EXPECT_THAT(Alerts(), IsEmpty());
}

TEST_F(TickRulesTest, ATickWaitsForEveryStreamThatTheRuleNames) {
  Begin(TickRule("both",
                 "union SigninLogs, AADNonInteractiveUserSignInLogs | summarize n = "
                 "count() by UserPrincipalName",
                 kHour, kHour));
  Fail(kAda, {At(0, 10)});
  world_.Read(kInteractive, read_to_, At(1, 3));
  EXPECT_EQ(Turn(At(1, 5)).ticks, 0);
  world_.Read(kNonInteractive, read_to_, At(1, 3));
  EXPECT_EQ(Turn(At(1, 5)).ticks, 1);
}

TEST_F(TickRulesTest, ARuleWaitsForNoStreamThatIsNotItsOwnOrIsOff) {
  Begin(TickRule("both",
                 "union SigninLogs, AADNonInteractiveUserSignInLogs | summarize n = "
                 "count() by UserPrincipalName",
                 kHour, kHour));
  rules_.push_back(Load(Spray(1)));
  Fail(kAda, {At(0, 10)});
  Turn(At(0, 20));
  world_.Read(kInteractive, read_to_, At(1, 3));
  EXPECT_EQ(Turn(At(1, 5)).alerts, 1) << "the one of SigninLogs alone";
  auto state = world_.store().streams().Get(kNonInteractive).value();
  state.state = "off";
  ASSERT_TRUE(world_.store().streams().Put(kNonInteractive, state));
  EXPECT_EQ(Turn(At(1, 6)).alerts, 1);
}

TEST_F(TickRulesTest, ATickThatWaitedHalfAnHourRunsOnWhatIsThereAndAgainWhenItIsComplete) {
  Begin(TickRule("absence",
                 "SigninLogs | where AppDisplayName == 'Vault' | join kind=leftanti (SigninLogs | "
                 "where AppDisplayName == 'Approval') on UserPrincipalName",
                 kHour, kHour));
  world_.Store({{.id = "v", .time = At(0, 50), .app = "Vault"}});
  EXPECT_EQ(Turn(At(1, 29)).ticks, 0);
  EXPECT_EQ(Turn(At(1, 30)).findings, 1);
  EXPECT_EQ(Counts().partial, 1);
  const auto waiting = world_.store().ticks().Waiting("", 9).value();
  EXPECT_THAT(waiting.at(0).reason, HasSubstr("SigninLogs is not read from 2026-11-24T12:01:00Z"));
  EXPECT_EQ(Turn(At(1, 40)).ticks, 0) << "nothing new is read";
  world_.Store({{.id = "a", .time = At(0, 10), .app = "Approval"}});
  const AlertCounts counts = Live(At(1, 45));
  EXPECT_EQ(counts.ticks, 1);
  EXPECT_EQ(counts.withdrawn, 1);
  EXPECT_EQ(Counts().partial, 0);
  EXPECT_THAT(Found(), IsEmpty());
  EXPECT_THAT(Alerts(/*all=*/false), IsEmpty());
  EXPECT_EQ(Alerts().at(0).closed_reason, "no event matches any more");
}

TEST_F(TickRulesTest, WhatBackfillStillReadsIsWaitedForToo) {
  const rules::Rule rule =
      TickRule("first seen",
               "SigninLogs | where TimeGenerated > ago(1h) | join kind=leftanti (SigninLogs | "
               "where TimeGenerated < ago(1h)) on UserPrincipalName",
               kHour, kDay * 2);
  rules_.push_back(Load(rule));
  world_.Contact(At(-72));
  world_.Read(At(-1), At(0, 1));
  world_.Store({{.id = "new", .time = At(-1, 30)}});
  EXPECT_EQ(Turn(At(0, 3)).ticks, 0) << "the days before are not read";
  world_.Store({{.id = "old", .time = At(-30)}});
  world_.Read(At(-72), At(-1));
  EXPECT_EQ(Turn(At(0, 10)).ticks, 1);
  EXPECT_THAT(Found(), IsEmpty());
}

TEST_F(TickRulesTest, ALateRowRunsTheTicksAgainWhoseWindowHoldsIt) {
  Begin(Spray());
  Fail(kAda, {At(1, 10), At(1, 20)});
  Live(At(5, 5));
  EXPECT_THAT(Found(), IsEmpty());
  Fail(kAda, {At(1, 30), At(1, 40), At(1, 50)});
  const AlertCounts counts = Turn(At(5, 10));
  EXPECT_EQ(counts.ticks, 1) << "once, however many rows";
  EXPECT_THAT(Found(), ElementsAre(HasSubstr("\"Failures\":5")));
  EXPECT_EQ(Alerts().at(0).first_seen, At(2)) << "at the time of the tick, not of the discovery";
}

TEST_F(TickRulesTest, ARowThatTheRulesConditionsDoNotTakeMakesNothingDirty) {
  Begin(Spray());
  Live(At(3, 5));
  world_.Store({{.id = "fine", .time = At(1, 10), .error = 0},
                {.id = "elsewhere", .time = At(1, 10), .error = 50126, .stream = kNonInteractive}});
  EXPECT_EQ(Turn(At(3, 10)).ticks, 0);
  Fail(kAda, {At(-2, 10)});
  EXPECT_EQ(Turn(At(3, 15)).ticks, 0) << "from before the rule's first window";
  Fail(kAda, {At(1, 11)});
  EXPECT_EQ(Turn(At(3, 20)).ticks, 1);
}

TEST_F(TickRulesTest, AChangeThatTakesTheRowOutOfTheConditionsRunsTheTickAgain) {
  Begin(Spray());
  Fail(kAda, {At(0, 10), At(0, 20), At(0, 30)});
  Live(At(1, 5));
  ASSERT_EQ(Alerts(/*all=*/false).size(), 1U);
  SignIn fine{.id = fmt::format("ada{}", At(0, 20).ticks), .time = At(0, 20), .error = 0};
  world_.Store({fine});
  EXPECT_EQ(Turn(At(1, 10)).withdrawn, 1);
  EXPECT_THAT(Alerts(/*all=*/false), IsEmpty());
  fine.error = 50126;
  world_.Store({fine});
  Turn(At(1, 15));
  ASSERT_EQ(Alerts(/*all=*/false).size(), 1U);
  EXPECT_EQ(Alerts()[0].status, "reopened");
}

TEST_F(TickRulesTest, AFindingStandsWhileOneOfItsTicksFindsIt) {
  rules::Rule rule = Spray(2);
  rule.query_period = kHour * 6;
  Begin(rule);
  Fail(kAda, {At(0, 10), At(0, 20), At(2, 30)});
  Live(At(4, 5));
  ASSERT_EQ(Found().size(), 1U) << "four ticks of one bucket";
  EXPECT_THAT(Found(), ElementsAre(HasSubstr("\"Failures\":3"))) << "as the last saw it";
  EXPECT_EQ(Alerts().at(0).first_seen, At(1));
  world_.Store({{.id = fmt::format("ada{}", At(0, 20).ticks), .time = At(0, 20), .error = 0}});
  EXPECT_EQ(Turn(At(4, 10)).ticks, 4);
  EXPECT_THAT(Found(), ElementsAre(HasSubstr("\"Failures\":2")));
  EXPECT_EQ(Alerts().at(0).first_seen, At(3)) << "the first two ticks take it back";
  EXPECT_EQ(Alerts().at(0).status, "new");
}

TEST_F(TickRulesTest, ANewOrChangedRuleBeginsAtItsNewestTickAndDeliversNothingOfThePast) {
  Begin(Spray(1));
  Fail(kAda, {At(1, 10)});
  Fail(kBob, {At(4, 10)});
  Live(At(2, 5));
  ASSERT_EQ(Alerts().size(), 1U);
  ReadTo(At(5, 3));
  rules::Rule changed = Spray(1);
  changed.query += " | extend version = 2";
  changed.hash = Sha256Hex(changed.query);
  rules_ = {Load(changed)};
  EXPECT_EQ(Turn(At(5, 5)).ticks, 1) << "not the three between";
  EXPECT_EQ(world_.store().ticks().Cursor(changed.id).value()->started, At(4));
  EXPECT_THAT(Found(), ElementsAre(HasSubstr(kBob)));
  Fail(kAda, {At(3, 10), At(1, 20)});
  EXPECT_EQ(Turn(At(5, 10)).ticks, 0) << "ticks from before it are not its own";
  EXPECT_EQ(Alerts().size(), 2U) << "what the version before found stays";
}

TEST_F(TickRulesTest, TheOwnClockAloneBeginsNoRuleAndMakesNoTickPartial) {
  rules_.push_back(Load(Spray(1)));
  world_.Contact(At(-1));
  ReadTo(At(0, 1));
  EXPECT_EQ(Turn(At(24), /*sure=*/false).ticks, 0);
  EXPECT_FALSE(world_.store().ticks().Cursor(rules_[0].rule.id).value());
  EXPECT_EQ(Turn(At(0, 3)).ticks, 1);
  EXPECT_EQ(Turn(At(24), /*sure=*/false).ticks, 0);
  Fail(kAda, {At(0, 10)});
  ReadTo(At(1, 1));
  EXPECT_EQ(Turn(At(-24), /*sure=*/false).findings, 1) << "complete ticks need no clock";
}

TEST_F(TickRulesTest, ATickThatFailsIsGivenUpWithItsReasonAndTheNextGoOn) {
  Begin(TickRule("cross",
                 "SigninLogs | extend k = 1 | join kind=inner (SigninLogs | extend k = 1) "
                 "on k | project UserPrincipalName",
                 kHour, kHour));
  std::vector<SignIn> rows;
  for (int i = 0; i < 150; ++i) {
    rows.push_back({.id = std::to_string(i), .time = At(0, 10) + kSecond * i});
  }
  rows.push_back({.id = "later", .time = At(1, 10)});
  world_.Store(rows);
  EXPECT_EQ(Live(At(2, 5)).findings, 1);
  ASSERT_EQ(world_.failures.size(), 1U);
  EXPECT_THAT(world_.failures[0].second.message, HasSubstr("the tick 2026-11-24T13:00:00Z"));
  EXPECT_EQ(Counts().given_up, 1);
  EXPECT_THAT(world_.store().ticks().LastGivenUp(rules_[0].rule.id).value()->reason,
              HasSubstr("more than 10000 rows"));
  Fail(kAda, {At(0, 30)});
  EXPECT_EQ(Turn(At(2, 10)).ticks, 0) << "it would fail again";
}

TEST_F(TickRulesTest, WhatRetentionTookIsNotJudgedAgain) {
  Begin(Spray(1));
  world_.settings.retention = kDay * 31;
  Fail(kAda, {At(1, 10)});
  Live(At(5, 5));
  Fail(kBob, {At(1, 20)});
  // Down for 40 days: the ticks of which no row is left are passed by at once.
  const AlertCounts counts = Live(At(40 * 24, 5));
  EXPECT_LT(counts.ticks, 32 * 24);
  EXPECT_EQ(Counts().dirty, 0);
  EXPECT_EQ(Counts().given_up, 2);
  EXPECT_THAT(Found(), ElementsAre(HasSubstr(kAda))) << "what it found stays";
  const auto cursor = world_.store().ticks().Cursor(rules_[0].rule.id).value();
  EXPECT_EQ(cursor->tick, At(40 * 24));
}

TEST_F(TickRulesTest, MoreDirtyTicksThanABudgetAreLeftForTheNextTurnOldestLast) {
  Begin(Spray(1));
  Live(At(300, 5));
  std::vector<SignIn> rows;
  for (int hour = 0; hour < 300; ++hour) {
    rows.push_back({.id = fmt::format("late{}", hour), .time = At(hour, 30), .error = 50126});
  }
  world_.Store(rows);
  EXPECT_EQ(Turn(At(300, 10)).ticks, kMostAgain);
  EXPECT_EQ(Counts().dirty, 300 - kMostAgain);
  EXPECT_EQ(world_.store().ticks().Waiting("", 1).value().at(0).tick, At(300 - kMostAgain));
  EXPECT_EQ(Turn(At(300, 15)).ticks, 300 - kMostAgain);
  EXPECT_EQ(Counts().dirty, 0);
}

// The optimisation against the general way: each row at the tick of its own time, or every tick.
TEST_F(TickRulesTest, RowByRowIsTheSameAsTheGeneralWay) {
  std::mt19937 random(11);
  const auto any = [&](unsigned below) { return static_cast<int>(random() % below); };
  std::vector<rules::Rule> rules = {
      TickRule("plain", "SigninLogs | where ResultType == '50126' | project Id, TimeGenerated",
               kHour, kDay),
      TickRule("recent",
               "SigninLogs | where TimeGenerated > ago(20m) and ResultType == '50126' | project Id",
               kHour, kHour * 4),
      TickRule("day",
               "SigninLogs | where TimeGenerated between (startofday(ago(1d)) .. now()) | where "
               "RiskLevelDuringSignIn == 'high' | extend who = tolower(UserPrincipalName) | "
               "project Id, who, UserPrincipalName",
               kHour * 6, kDay * 2),
      TickRule("minute", "SigninLogs | where AppDisplayName has 'vault' | project Id", kMinute,
               kMinute)};
  for (int round = 0; round < 6; ++round) {
    TickWorld world;
    std::vector<LoadedRule> loaded;
    for (const rules::Rule& rule : rules) {
      loaded.push_back(Load(rule));
      ASSERT_EQ(loaded.back().verdict.way, rules::Way::kByRow) << rule.title;
    }
    for (int page = 0; page < 12; ++page) {
      std::vector<SignIn> rows;
      for (int i = 0; i < 25; ++i) {
        // Some are read again, and have changed.
        rows.push_back({.id = fmt::format("r{}", any(200)),
                        .time = {},
                        .error = any(2) == 0 ? 0 : 50126,
                        .risk = any(3) == 0 ? "high" : "none",
                        .app = any(3) == 0 ? "The vault" : "Portal"});
        const int number = std::stoi(rows.back().id.substr(1));
        rows.back().time = At(0) + kMinute * (number * 17 % 1440) + kSecond * (number % 4 * 20);
      }
      world.Store(rows);
      if (any(3) > 0) world.Evaluate(loaded, At(24));
    }
    world.Evaluate(loaded, At(24));
    for (const LoadedRule& each : loaded) {
      std::map<std::string, Instant> general;  // row → the first tick that finds it
      for (Instant tick = At(0); tick <= At(80); tick = tick + each.rule.query_frequency) {
        tables::EventTableSource source(world.store(), world.tenant());
        const auto rows = rules::Evaluate(each.rule, *each.verdict.query, source, tick, {}).value();
        for (const rules::RuleRow& row : rows) general.emplace(row.json, tick);
      }
      std::map<std::string, Instant> by_row;
      const std::int64_t last = world.store().events().LastSeq().value();
      for (std::int64_t event = 1; event <= last; ++event) {
        const auto findings =
            world.store().alerts().FindingsOfEvent(each.rule.id, kInteractive, event, "").value();
        for (const auto& finding : findings) {
          if (finding.state == "active") by_row.emplace(finding.row, finding.tick);
        }
      }
      EXPECT_FALSE(general.empty()) << each.rule.title;
      EXPECT_EQ(by_row, general) << each.rule.title << ", round " << round;
    }
  }
}

#ifdef PICKET_CRASH_POINTS
TEST_F(TickRulesTest, ACrashAtAnyPointLosesNoTickAndDoublesNothing) {
  const auto live = [&](TickWorld& world, std::vector<LoadedRule>& rules, bool first) {
    if (first) {
      rules = {Load(Spray(2)),
               Load(TickRule("by address", "SigninLogs | summarize n = count() by IPAddress", kHour,
                             kHour * 2))};
      rules[1].rule.suppression = kHour * 2;
      world.Contact(At(-1));
      world.Read(At(-1), At(0, 1));
      world.Evaluate(rules, At(0, 3));
      world.Store({{.id = "a", .time = At(0, 10), .error = 50126},
                   {.id = "b", .time = At(0, 20), .error = 50126},
                   {.id = "c", .time = At(2, 20), .error = 50126}});
      world.Read(At(0, 1), At(2, 3));
      world.Evaluate(rules, At(2, 5));
      // Dirty, partial and new ticks wait for the turn that dies.
      world.Store({{.id = "d", .time = At(0, 30), .error = 50126, .ip = "192.0.2.9"},
                   {.id = "b", .time = At(0, 20), .error = 0}});
    }
  };
  const auto all = [&](TickWorld& world, const std::vector<LoadedRule>& rules) {
    std::string text;
    for (const FoundRow& row : world.Findings(rules)) text += ToText(row) + "\n";
    const auto alerts = LoadAlerts(world.store(), "contoso", true).value();
    for (const AlertView& alert : alerts) {
      text +=
          fmt::format("{} {} {} {}\n", alert.id, alert.status, alert.count, alert.evidence.size());
    }
    const storage::TickCounts counts = world.store().ticks().Counts("").value();
    for (const LoadedRule& rule : rules) {
      text += FormatRfc3339(world.store().ticks().Cursor(rule.rule.id).value()->tick) + "\n";
    }
    return text + fmt::format("{} {} {}", counts.partial, counts.dirty, counts.given_up);
  };
  std::string expected;
  {
    TickWorld world;
    std::vector<LoadedRule> rules;
    live(world, rules, true);
    world.Evaluate(rules, At(4, 40));
    expected = all(world, rules);
  }
  ASSERT_THAT(expected, HasSubstr("active"));
  long tried = 0;
  for (long nth = 1;; ++nth) {
    TickWorld world;
    std::vector<LoadedRule> rules;
    live(world, rules, true);
    world.Close();
    const pid_t child = fork();
    if (child == 0) {
      storage::CrashAt(nth);
      world.Open();
      world.Evaluate(rules, At(4, 40));
      _exit(0);
    }
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    world.Open();
    world.Evaluate(rules, At(4, 40));
    ASSERT_EQ(all(world, rules), expected) << "point " << nth;
    if (!WIFSIGNALED(status)) break;
    ++tried;
    ASSERT_LT(tried, 2000);
  }
  EXPECT_GT(tried, 30);
  RecordProperty("crash_points", static_cast<int>(tried));
}
#endif

}  // namespace
}  // namespace picket::alerts
