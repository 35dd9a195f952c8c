#include "agent/alerts/alerting.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <functional>

#include "agent/alerts/load_views.h"
#include "agent/tables/mapping.h"
#include "agent/tables/record_decoder.h"
#include "agent/tables/table_catalog.h"
#include "base/text.h"
#include "storage/crash_points.h"
#include "tests/tables/tables_fixture.h"

namespace picket::alerts {
namespace {

using testing::Contains;
using testing::HasSubstr;

constexpr const char* kStream = "signIns.interactive";

rules::Rule RiskRule(std::string id, std::string where) {
  rules::Rule rule;
  rule.id = std::move(id);
  rule.title = "Risky sign-in";
  rule.language = "kql";
  rule.severity = rules::Severity::kHigh;
  rule.query = "SigninLogs | where ResultType == 0 and " + where +
               " | project TimeGenerated, UserPrincipalName, IPAddress, RiskLevelDuringSignIn, "
               "RiskState";
  rule.entities = {{.type = "Account", .identifiers = {{"FullName", "UserPrincipalName"}}}};
  rule.hash = Sha256Hex(rule.id + rule.query);
  return rule;
}

const std::string kLevelRule = "11111111-0000-5000-8000-000000000001";
const std::string kStateRule = "11111111-0000-5000-8000-000000000002";

struct Event {
  std::string id, user = "ada@contoso.example";
  Instant time;
  std::string level = "high", state = "none", updated;
};

// Findings, alerts and incidents over a real store; time is what the test says.
class AlertingTest : public tables::TablesTest {
 protected:
  void SetUp() override {
    TablesTest::SetUp();
    Use({RiskRule(kLevelRule, "RiskLevelDuringSignIn in ('high', 'medium')")});
  }

  void Use(std::vector<rules::Rule> given) {
    rules_.clear();
    const tables::TableCatalog catalog;
    for (rules::Rule& rule : given) {
      rules::Verdict verdict = rules::Check(rule, catalog);
      ASSERT_EQ(verdict.verdict, "runs") << verdict.errors[0].message;
      rules_.push_back({std::move(rule), std::move(verdict)});
    }
  }

  void Store(const std::vector<Event>& events) {
    std::string page = "[";
    for (const Event& e : events) {
      page += fmt::format(
          R"({}{{"id":"{}","createdDateTime":"{}","userPrincipalName":"{}",)"
          R"("ipAddress":"192.0.2.1","status":{{"errorCode":0}},"riskLevelDuringSignIn":"{}","riskState":"{}"}})",
          page.size() > 1 ? "," : "", e.id, FormatRfc3339(e.time), e.user, e.level, e.state);
    }
    Page(kStream, page + "]", static_cast<int>(tables::Rank::kV1));
  }

  AlertCounts Evaluate(Instant now) {
    Alerting alerting(*store_, tenant_, rules_, settings_, {});
    const auto counts = alerting.Evaluate({.now = now}, {});
    EXPECT_TRUE(counts) << (counts ? "" : counts.error().message);
    EXPECT_TRUE(alerting.failures().empty());
    return counts.value_or(AlertCounts{});
  }
  AlertCounts Evaluate() { return Evaluate(now_); }

  std::vector<AlertView> Alerts() { return LoadAlerts(*store_, "contoso", true).value(); }
  std::vector<IncidentView> Incidents() { return LoadIncidents(*store_, "contoso", true).value(); }

  // All that alerting keeps, in one text.
  std::string Everything() {
    std::string text;
    for (const IncidentView& incident : Incidents()) {
      text += fmt::format("{} {} {} {}\n", incident.id, incident.title, incident.status,
                          PriorityName(incident.priority));
      for (const AlertView& alert : incident.alerts) {
        text += fmt::format(" {} {} {} {} {} {} {}\n", alert.id, alert.rule, alert.status,
                            alert.count, FormatRfc3339(alert.first_seen),
                            FormatRfc3339(alert.last_seen), PriorityName(alert.priority));
        for (const auto& row : alert.evidence) text += "  " + row.finding_id + "\n";
      }
    }
    return text;
  }

  std::vector<LoadedRule> rules_;
  Settings settings_;
};

TEST_F(AlertingTest, OneAlertForOneEntityWithinTheGap) {
  Store({{.id = "a", .time = now_ - kHour * 20},
         {.id = "b", .time = now_ - kHour * 10},
         {.id = "c", .user = "ADA@contoso.example", .time = now_ - kHour}});
  const AlertCounts counts = Evaluate();
  EXPECT_EQ(counts.findings, 3);
  EXPECT_EQ(counts.alerts, 1);
  EXPECT_EQ(counts.incidents, 1);
  ASSERT_EQ(Alerts().size(), 1U);
  EXPECT_EQ(Alerts()[0].count, 3);
  EXPECT_EQ(Alerts()[0].first_seen, now_ - kHour * 20);
  EXPECT_EQ(Alerts()[0].last_seen, now_ - kHour);
  EXPECT_EQ(Alerts()[0].evidence.size(), 3U);
}

TEST_F(AlertingTest, ALongerSilenceStartsAnotherAlert) {
  Store({{.id = "a", .time = now_ - kDay * 3}, {.id = "b", .time = now_ - kHour}});
  EXPECT_EQ(Evaluate().alerts, 2);
  EXPECT_EQ(Incidents().size(), 2U);
}

TEST_F(AlertingTest, AnotherUserIsAnotherAlert) {
  Store({{.id = "a", .time = now_ - kHour},
         {.id = "b", .user = "bob@contoso.example", .time = now_ - kHour}});
  EXPECT_EQ(Evaluate().alerts, 2);
  EXPECT_EQ(Incidents().size(), 2U);
}

TEST_F(AlertingTest, AFindingThatArrivesLateJoinsTheAlertItBelongsTo) {
  Store({{.id = "a", .time = now_ - kHour * 20}});
  Evaluate(now_ - kHour * 19);
  Store({{.id = "b", .time = now_ - kHour * 30}});
  const AlertCounts counts = Evaluate();
  EXPECT_EQ(counts.alerts, 0);
  ASSERT_EQ(Alerts().size(), 1U);
  EXPECT_EQ(Alerts()[0].first_seen, now_ - kHour * 30);
}

TEST_F(AlertingTest, ARiskThatIsAddedToASignInOfThirtyHoursAgoAlerts) {
  Store({{.id = "a", .time = now_ - kHour * 30, .level = "none"}});
  EXPECT_EQ(Evaluate(now_ - kHour * 29).findings, 0);
  Store({{.id = "a", .time = now_ - kHour * 30, .level = "high"}});
  EXPECT_EQ(Evaluate().alerts, 1);
  ASSERT_EQ(Alerts().size(), 1U);
  EXPECT_EQ(Alerts()[0].first_seen, now_ - kHour * 30);
}

TEST_F(AlertingTest, EvaluatingTwiceChangesNothing) {
  Store({{.id = "a", .time = now_ - kHour * 20}, {.id = "b", .time = now_ - kHour}});
  Evaluate();
  const std::string before = Everything();
  const AlertCounts again = Evaluate(now_ + kHour);
  EXPECT_EQ(again.findings + again.alerts + again.incidents + again.withdrawn, 0);
  EXPECT_EQ(Everything(), before);
}

TEST_F(AlertingTest, TheSameReadingAgainChangesNothing) {
  Store({{.id = "a", .time = now_ - kHour}});
  Evaluate();
  const std::string before = Everything();
  Store({{.id = "a", .time = now_ - kHour}});
  Evaluate(now_ + kHour);
  EXPECT_EQ(Everything(), before);
}

TEST_F(AlertingTest, ADismissedRiskNeverOpensAnAlert) {
  Store({{.id = "a", .time = now_ - kHour, .state = "dismissed"}});
  EXPECT_EQ(Evaluate().alerts, 0);
  EXPECT_TRUE(Alerts().empty());
}

TEST_F(AlertingTest, ADismissedRiskClosesTheAlertAndItsIncident) {
  Store({{.id = "a", .time = now_ - kHour}});
  Evaluate();
  Store({{.id = "a", .time = now_ - kHour, .state = "dismissed"}});
  Evaluate(now_ + kHour);
  ASSERT_EQ(Alerts().size(), 1U);
  EXPECT_EQ(Alerts()[0].status, "closed");
  EXPECT_THAT(Alerts()[0].closed_reason, HasSubstr("dismissed"));
  EXPECT_EQ(Incidents()[0].status, "closed");
  EXPECT_TRUE(LoadAlerts(*store_, "contoso", false)->empty());
}

TEST_F(AlertingTest, AnAlertStaysWhileOneOfItsFindingsIsNotSettled) {
  Store({{.id = "a", .time = now_ - kHour * 2}, {.id = "b", .time = now_ - kHour}});
  Evaluate();
  Store({{.id = "a", .time = now_ - kHour * 2, .state = "dismissed"}});
  Evaluate();
  EXPECT_EQ(Alerts()[0].status, "new");
  EXPECT_EQ(Alerts()[0].count, 1);
}

TEST_F(AlertingTest, AnEventThatNoLongerMatchesTakesItsFindingBack) {
  Store({{.id = "a", .time = now_ - kHour}});
  Evaluate();
  Store({{.id = "a", .time = now_ - kHour, .level = "low"}});
  EXPECT_EQ(Evaluate(now_ + kHour).withdrawn, 1);
  EXPECT_EQ(Alerts()[0].status, "closed");
  EXPECT_EQ(Alerts()[0].closed_reason, "no event matches any more");
}

// Retention took the event; Microsoft's verdict on it comes later.
class ExpiredEventTest : public AlertingTest,
                         public testing::WithParamInterface<std::pair<Event, const char*>> {};

TEST_P(ExpiredEventTest, StillTellsTheAlertThatCitesIt) {
  auto [update, reason] = GetParam();
  update.time = now_ - kHour;
  Store({{.id = "a", .time = now_ - kHour}});
  Evaluate();
  ASSERT_EQ(Alerts().size(), 1U);
  EXPECT_EQ(store_->Expire(now_, now_).value(), 1);
  oldest_ = now_;
  Store({update, {.id = "nobody cites it", .time = now_ - kHour}});
  EXPECT_EQ(store_->events().Count(kStream).value(), 1);
  EXPECT_EQ(store_->Expire(now_, now_ + kHour).value(), 0) << "the rules must see it first";
  Evaluate(now_ + kHour);
  ASSERT_EQ(Alerts().size(), 1U);
  EXPECT_EQ(Alerts()[0].status, "closed");
  EXPECT_THAT(Alerts()[0].closed_reason, HasSubstr(reason));
  EXPECT_EQ(store_->Expire(now_, now_ + kDay * 2).value(), 1);
  EXPECT_EQ(store_->events().Deleted(kStream).value(), 2) << "what goes is counted";
  EXPECT_EQ(Evaluate(now_ + kDay * 2).withdrawn, 0);
  EXPECT_EQ(Alerts()[0].evidence.size(), 1U) << "the alert has its own copy";
}

INSTANTIATE_TEST_SUITE_P(
    Updates, ExpiredEventTest,
    testing::Values(std::pair(Event{.id = "a", .state = "dismissed"}, "dismissed"),
                    std::pair(Event{.id = "a", .level = "low"}, "no event matches")));

TEST_F(AlertingTest, AnAlertReopensAtMostOnceADay) {
  const Instant time = now_ - kHour;
  const auto set = [&](const std::string& state, Instant when) {
    Store({{.id = "a", .time = time, .state = state}});
    Evaluate(when);
    return Alerts().at(0).status;
  };
  EXPECT_EQ(set("none", now_), "new");
  EXPECT_EQ(set("dismissed", now_ + kHour), "closed");
  EXPECT_EQ(set("atRisk", now_ + kHour * 2), "reopened");
  EXPECT_EQ(set("dismissed", now_ + kHour * 3), "closed");
  EXPECT_EQ(set("atRisk", now_ + kHour * 4), "closed") << "the second time on one day";
  EXPECT_EQ(set("dismissed", now_ + kHour * 5), "closed");
  EXPECT_EQ(set("atRisk", now_ + kHour * 27), "reopened");
  EXPECT_EQ(Alerts().size(), 1U);
  EXPECT_EQ(Incidents().size(), 1U);
}

TEST_F(AlertingTest, TwoRulesThatAgreeShareAnIncidentAndRaiseItsConfidence) {
  Store({{.id = "a", .time = now_ - kHour, .state = "atRisk"}});
  Evaluate();
  ASSERT_EQ(Alerts().size(), 1U);
  EXPECT_EQ(Alerts()[0].priority, Priority::kP2);
  Use({RiskRule(kLevelRule, "RiskLevelDuringSignIn in ('high', 'medium')"),
       RiskRule(kStateRule, "RiskState == 'atRisk'")});
  Evaluate(now_ + kMinute);
  const std::vector<IncidentView> incidents = Incidents();
  ASSERT_EQ(incidents.size(), 1U);
  ASSERT_EQ(incidents[0].alerts.size(), 2U);
  EXPECT_EQ(incidents[0].priority, Priority::kP1);
  for (const AlertView& alert : incidents[0].alerts) {
    EXPECT_EQ(alert.confidence, rules::Confidence::kHigh);
    EXPECT_THAT(alert.priority_why, Contains(HasSubstr("another rule agrees")));
  }
}

TEST_F(AlertingTest, WhenTheSecondRuleTakesItsAlertBackTheConfidenceFalls) {
  Use({RiskRule(kLevelRule, "RiskLevelDuringSignIn in ('high', 'medium')"),
       RiskRule(kStateRule, "RiskState == 'atRisk'")});
  Store({{.id = "a", .time = now_ - kHour, .state = "atRisk"}});
  Evaluate();
  ASSERT_EQ(Incidents().at(0).priority, Priority::kP1);
  Store({{.id = "a", .time = now_ - kHour, .state = "none"}});
  Evaluate(now_ + kHour);
  EXPECT_EQ(Incidents().at(0).priority, Priority::kP2);
}

TEST_F(AlertingTest, AConfirmedCompromiseIsMostUrgent) {
  Store({{.id = "a", .time = now_ - kHour, .state = "confirmedCompromised"}});
  Evaluate();
  EXPECT_EQ(Alerts().at(0).priority, Priority::kP1);
}

TEST_F(AlertingTest, AnotherStoreOfTheSameEventsGivesTheSameIds) {
  const std::vector<Event> events = {{.id = "a", .time = now_ - kDay * 3},
                                     {.id = "b", .time = now_ - kHour * 2},
                                     {.id = "c", .time = now_ - kHour}};
  Store(events);
  Evaluate();
  const std::string first = Everything();
  EXPECT_FALSE(first.empty());
  TearDown();
  TablesTest::SetUp();
  Store(events);
  Evaluate();
  EXPECT_EQ(Everything(), first);
}

TEST_F(AlertingTest, ANewRuleLooksBackItsPeriodOnly) {
  Evaluate(now_ - kHour);  // the tenant is known from here on
  Store({{.id = "a", .time = now_ - kDay * 5}, {.id = "b", .time = now_ - kHour}});
  Evaluate();
  Use({RiskRule(kStateRule, "RiskLevelDuringSignIn == 'high'")});
  EXPECT_EQ(Evaluate().findings, 1);
}

#ifdef PICKET_CRASH_POINTS
// A child evaluates and dies at its nth crash point; true when it did.
bool DiesAt(long nth, const std::function<void()>& work) {
  const pid_t child = fork();
  if (child == 0) {
    storage::CrashAt(nth);
    work();
    _exit(0);
  }
  int status = 0;
  EXPECT_EQ(waitpid(child, &status, 0), child);
  if (WIFSIGNALED(status)) {
    EXPECT_EQ(WTERMSIG(status), SIGKILL);
    return true;
  }
  EXPECT_EQ(WEXITSTATUS(status), 0);
  return false;
}

TEST_F(AlertingTest, ACrashAtAnyPointLosesNothingAndDoublesNothing) {
  const std::vector<Event> events = {
      {.id = "a", .time = now_ - kDay * 3},
      {.id = "b", .time = now_ - kHour * 2, .state = "atRisk"},
      {.id = "c", .user = "bob@contoso.example", .time = now_ - kHour}};
  Use({RiskRule(kLevelRule, "RiskLevelDuringSignIn in ('high', 'medium')"),
       RiskRule(kStateRule, "RiskState == 'atRisk'")});
  Store(events);
  Evaluate();
  const std::string expected = Everything();
  ASSERT_FALSE(expected.empty());
  long tried = 0;
  for (long nth = 1;; ++nth) {
    TearDown();
    TablesTest::SetUp();
    Store(events);
    store_.reset();  // a connection does not survive a fork
    const auto open = [&] {
      store_ = storage::TenantStore::Open(directory_, tenant_, tables::StreamSchemas(),
                                          tables::ValuesOf(tenant_), {})
                   .value();
    };
    const bool died = DiesAt(nth, [&] {
      open();
      Alerting alerting(*store_, tenant_, rules_, settings_, {});
      if (!alerting.Evaluate({.now = now_}, {})) _exit(1);
    });
    open();
    // Cursor and findings are of one commit: a rule whose cursor moved left its findings.
    for (const LoadedRule& loaded : rules_) {
      const auto cursor = store_->alerts().Cursor(loaded.rule.id).value();
      const bool evaluated = cursor && cursor->seq > 0;
      bool found = false;
      for (const AlertView& alert : Alerts()) found = found || alert.rule == loaded.rule.id;
      ASSERT_EQ(found, evaluated) << "point " << nth << ", rule " << loaded.rule.id;
    }
    Evaluate();
    ASSERT_EQ(Everything(), expected) << "point " << nth;
    if (!died) break;
    ++tried;
    ASSERT_LT(tried, 2000);
  }
  EXPECT_GT(tried, 10);
  RecordProperty("crash_points", static_cast<int>(tried));
}
#endif

}  // namespace
}  // namespace picket::alerts
