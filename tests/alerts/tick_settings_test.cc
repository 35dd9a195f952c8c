// Sentinel's settings of rules that go by ticks: thresholds, suppression, grouping, details.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/alerts/tick_fixture.h"

namespace picket::alerts {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::UnorderedElementsAre;

using TickSettingsTest = TickRulesTest;

TEST_F(TickSettingsTest, ThresholdCountsTheRowsOfTheTick) {
  rules::Rule rule =
      TickRule("many", "SigninLogs | where ResultType == '50126' | project UserPrincipalName, Id",
               kHour, kHour);
  rule.trigger_threshold = 2;
  Begin(rule);
  Fail(kAda, {At(0, 10), At(0, 20), At(1, 10), At(1, 20)});
  Fail(kBob, {At(1, 30)});
  Live(At(2, 5));
  EXPECT_EQ(Alerts().size(), 2U);
  EXPECT_EQ(Alerts()[0].first_seen, At(2)) << "two rows in the first hour are not more than two";
  const auto of_ada = Alerts()[0].entity.id == kAda ? Alerts()[0] : Alerts()[1];
  EXPECT_EQ(of_ada.count, 1);
  EXPECT_EQ(of_ada.evidence.size(), 2U) << "both rows of the one finding";
}

TEST_F(TickSettingsTest, ARuleThatTriggersOnSilenceSaysSo) {
  rules::Rule rule =
      TickRule("silence", "SigninLogs | where AppDisplayName == 'Heartbeat'", kHour, kHour);
  rule.trigger_operator = rules::TriggerOperator::kLess;
  rule.trigger_threshold = 1;
  Begin(rule);
  Turn(At(0, 3));
  world_.Store({{.id = "beat", .time = At(0, 30), .app = "Heartbeat"}});
  Live(At(2, 5));
  ASSERT_EQ(Alerts().size(), 1U);
  EXPECT_EQ(Alerts()[0].count, 2) << "noon, and the hour after the beat";
  EXPECT_EQ(Alerts()[0].entity.name, "silence");
  EXPECT_EQ(Alerts()[0].evidence.at(0).Column("Results"), "0");
}

TEST_F(TickSettingsTest, SuppressionHoldsWhatComesSoonAfterAndGivesItBackWhenTheFirstIsTakenBack) {
  rules::Rule rule = Spray(1);
  rule.suppression = kHour * 3;
  Begin(rule);
  Fail(kAda, {At(0, 10)});
  Fail(kBob, {At(1, 10), At(4, 10)});
  Live(At(5, 5));
  EXPECT_THAT(Found(), UnorderedElementsAre(HasSubstr("ada@contoso.example active"),
                                            HasSubstr("bob@contoso.example suppressed"),
                                            HasSubstr("bob@contoso.example active")));
  EXPECT_EQ(Alerts().size(), 2U);
  world_.Store({{.id = fmt::format("ada{}", At(0, 10).ticks), .time = At(0, 10), .error = 0}});
  Turn(At(5, 10));
  EXPECT_THAT(Found(), ElementsAre(HasSubstr("bob@contoso.example active"),
                                   HasSubstr("bob@contoso.example active")));
}

TEST_F(TickSettingsTest, AlertPerResultMakesAnAlertOfEachGroup) {
  rules::Rule rule =
      TickRule("per address", "SigninLogs | summarize n = count() by UserPrincipalName, IPAddress",
               kHour, kHour);
  rule.alert_per_result = true;
  Begin(rule);
  Fail(kAda, {At(0, 10)}, "192.0.2.1");
  Fail(kAda, {At(0, 20)}, "192.0.2.2");
  Live(At(1, 5));
  EXPECT_EQ(Alerts().size(), 2U);
  EXPECT_EQ(LoadIncidents(world_.store(), "contoso", true).value().size(), 1U);
  Fail(kAda, {At(0, 30)}, "192.0.2.2");
  Turn(At(1, 10));
  EXPECT_EQ(Alerts().size(), 2U) << "another count is the same group";
}

TEST_F(TickSettingsTest, WithoutAMappedEntityTheGroupIsTheEntity) {
  rules::Rule rule =
      TickRule("by address", "SigninLogs | summarize n = count() by IPAddress", kHour, kHour);
  Begin(rule);
  Fail(kAda, {At(0, 10)}, "192.0.2.1");
  Fail(kAda, {At(0, 20), At(1, 20)}, "192.0.2.2");
  Live(At(2, 5));
  ASSERT_EQ(Alerts().size(), 2U);
  EXPECT_EQ(Alerts()[0].entity.name, "192.0.2.2");
  EXPECT_EQ(Alerts()[0].count, 2);
}

TEST_F(TickSettingsTest, TheAlertTakesTitleDescriptionSeverityTacticsAndDetailsFromTheRow) {
  rules::Rule rule =
      TickRule("details",
               "SigninLogs | summarize n = count() by UserPrincipalName | extend Level = 'High', "
               "Tactic = 'Persistence, Impact', Mark = '{{n}}'",
               kHour, kHour);
  rule.severity = rules::Severity::kLow;
  rule.tactics = {"InitialAccess"};
  rule.display_name_format = "{{n}} by {{ UserPrincipalName }} {{Mark}}{{Gone}}";
  rule.description_format = "Seen {{n}} times {{";
  rule.severity_column = "Level";
  rule.tactics_column = "Tactic";
  rule.custom_details = {{"Count", "n"}};
  Begin(rule);
  Fail(kAda, {At(0, 10), At(0, 20)});
  Live(At(1, 5));
  ASSERT_EQ(Alerts().size(), 1U);
  const AlertView alert = Alerts()[0];
  EXPECT_EQ(alert.title, "2 by ada@contoso.example {{n}}");
  EXPECT_EQ(alert.description, "Seen 2 times {{");
  EXPECT_EQ(alert.severity, rules::Severity::kHigh);
  EXPECT_THAT(alert.tactics, ElementsAre("InitialAccess", "Persistence", "Impact"));
  EXPECT_THAT(alert.reasons, Contains("Count 2"));
}

}  // namespace
}  // namespace picket::alerts
