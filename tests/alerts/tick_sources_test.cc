// What the findings of rules by ticks come from: the events stand with the alert, in copies of its
// own.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "tests/alerts/tick_fixture.h"

namespace picket::alerts {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class TickSourcesTest : public TickRulesTest {
 protected:
  // Of the only finding of the only alert.
  SourcesView Sources() {
    const std::vector<AlertView> alerts = Alerts();
    if (alerts.size() != 1 || alerts[0].sources.size() != 1) {
      ADD_FAILURE() << alerts.size() << " alerts";
      return {};
    }
    return alerts[0].sources[0];
  }
  // Their times, oldest first, as minutes after noon.
  std::vector<std::int64_t> Minutes() {
    std::vector<std::int64_t> minutes;
    for (const EvidenceView& row : Sources().rows) {
      minutes.push_back((row.time - kNoon).ticks / kMinute.ticks);
    }
    std::reverse(minutes.begin(), minutes.end());
    return minutes;
  }
};

TEST_F(TickSourcesTest, AreTheEventsOfTheGroupWithWhatTheRuleReads) {
  Begin(Spray());
  Fail(kAda, {At(0, 10), At(0, 20), At(0, 50)});
  Fail(kBob, {At(0, 10), At(0, 20)});
  world_.Store({{.id = "good", .time = At(0, 30)}});
  Live(At(1, 5));
  EXPECT_EQ(Summary(Sources()), "3 events");
  EXPECT_THAT(Minutes(), ElementsAre(10, 20, 50));
  for (const EvidenceView& row : Sources().rows) {
    EXPECT_EQ(row.Column("Type"), "SigninLogs");
    EXPECT_EQ(row.Column("UserPrincipalName"), kAda);
    EXPECT_EQ(row.Column("ResultType"), "50126");
    EXPECT_EQ(row.Column("IPAddress"), "192.0.2.1");
  }
  EXPECT_EQ(Alerts()[0].evidence.size(), 1U) << "the rule's own row stands apart";
  const nlohmann::json json = ToJson(Alerts()[0], /*with_evidence=*/true);
  EXPECT_EQ(json["sources"][0]["events"], 3);
  EXPECT_EQ(json["sources"][0]["rows"][2]["row"]["UserPrincipalName"], kAda);
}

TEST_F(TickSourcesTest, OfManyEventsTheFirstAndTheLastAreShownAndAllAreCounted) {
  Begin(Spray());
  for (int minute = 1; minute < 59; ++minute) {
    Fail(kAda, {At(0, minute), At(0, minute) + kSecond * 20, At(0, minute) + kSecond * 40});
  }
  Live(At(1, 5));
  EXPECT_EQ(Sources().events, 58 * 3);
  EXPECT_EQ(Summary(Sources()), "174 events, of which the first and the last are shown (20)");
  EXPECT_THAT(Minutes(),
              ElementsAre(1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 55, 56, 56, 56, 57, 57, 57, 58, 58, 58));
}

TEST_F(TickSourcesTest, AreOfAllTablesThatAreJoined) {
  Begin(TickRule("both",
                 "SigninLogs | where ResultType == '50126' | join kind=inner "
                 "(AADNonInteractiveUserSignInLogs | where AppDisplayName == 'Vault') on "
                 "UserPrincipalName | summarize n = count() by UserPrincipalName",
                 kHour, kHour));
  Fail(kAda, {At(0, 10)});
  world_.Store({{.id = "v1", .time = At(0, 20), .app = "Vault", .stream = kNonInteractive},
                {.id = "v2", .time = At(0, 30), .app = "Vault", .stream = kNonInteractive},
                {.id = "p", .time = At(0, 40), .stream = kNonInteractive}});
  Live(At(1, 5));
  EXPECT_THAT(Minutes(), ElementsAre(10, 20, 30));
  std::vector<std::string> tables;
  for (const EvidenceView& row : Sources().rows) tables.push_back(row.Column("Type"));
  EXPECT_THAT(tables, ElementsAre("AADNonInteractiveUserSignInLogs",
                                  "AADNonInteractiveUserSignInLogs", "SigninLogs"));
}

TEST_F(TickSourcesTest, FollowALateRowAlsoWhenTheResultStaysTheSame) {
  Begin(TickRule("addresses",
                 "SigninLogs | where ResultType == '50126' | summarize Addresses = "
                 "dcount(IPAddress) by UserPrincipalName",
                 kHour, kHour));
  Fail(kAda, {At(0, 10), At(0, 20)});
  Live(At(1, 5));
  EXPECT_THAT(Minutes(), ElementsAre(10, 20));
  Fail(kAda, {At(0, 30)});
  EXPECT_EQ(Live(At(1, 10)).ticks, 1) << "again";
  EXPECT_THAT(Minutes(), ElementsAre(10, 20, 30));
}

TEST_F(TickSourcesTest, AreThoseOfTheLastTickThatFinds) {
  rules::Rule rule = Spray(1);
  rule.query_period = kHour * 2;
  Begin(rule);
  Fail(kAda, {At(0, 10), At(1, 10)});
  Live(At(2, 5));
  EXPECT_THAT(Minutes(), ElementsAre(10, 70));
  // The second is no failure after all: the tick before it shows its own again.
  world_.Store({{.id = fmt::format("ada{}", At(1, 10).ticks), .time = At(1, 10), .error = 0}});
  Live(At(2, 10));
  EXPECT_THAT(Minutes(), ElementsAre(10));
}

TEST_F(TickSourcesTest, StayWhenTheEventsAreGone) {
  Begin(Spray());
  Fail(kAda, {At(0, 10), At(0, 20), At(0, 50)});
  Live(At(1, 5));
  ASSERT_TRUE(world_.store().events().Expire(At(30), At(30)));
  EXPECT_EQ(Sources().rows.size(), 3U);
}

TEST_F(TickSourcesTest, SayWhyThereAreNone) {
  rules::Rule silence =
      TickRule("silence", "SigninLogs | where AppDisplayName == 'Heartbeat'", kHour, kHour);
  silence.trigger_operator = rules::TriggerOperator::kLess;
  silence.trigger_threshold = 1;
  Begin(silence);
  Live(At(1, 5));
  const std::vector<AlertView> alerts = Alerts();
  ASSERT_FALSE(alerts.empty());
  ASSERT_FALSE(alerts[0].sources.empty());
  for (const SourcesView& of : alerts[0].sources) {
    EXPECT_THAT(of.rows, IsEmpty());
    EXPECT_EQ(Summary(of), "it fired because no row was there");
  }
}

}  // namespace
}  // namespace picket::alerts
