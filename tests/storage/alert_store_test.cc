#include "storage/alert_store.h"

#include <gmock/gmock.h>

#include "storage/agent_store.h"
#include "storage/migrations.h"
#include "tests/storage/store_fixture.h"

namespace picket::storage {
namespace {

using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::IsEmpty;

class AlertStoreTest : public StoreTest {
 protected:
  AlertStore& Of() { return store->alerts(); }
  static AlertRow Alert(const std::string& id, int priority, std::int64_t last_seen) {
    return {.id = id,
            .rule = "rule",
            .entity = {"user", "u1", "Ann"},
            .incident = "incident",
            .status = "new",
            .severity = 3,
            .confidence = 2,
            .priority = priority,
            .first_seen = Instant{1},
            .last_seen = Instant{last_seen},
            .count = 7,
            .opened = Instant{2},
            .updated = Instant{3},
            .reopened = Instant{4},
            .detail = R"({"title":"t"})"};
  }
};

TEST_F(AlertStoreTest, AFindingComesBackAsItWas) {
  const FindingRow finding{.id = "f",
                           .rule = "rule",
                           .stream = kStream,
                           .event = 5,
                           .entity = {"ip", "1.2.3.4", "1.2.3.4"},
                           .time = Instant{1},
                           .tick = Instant{2},
                           .state = "active",
                           .state_reason = "why",
                           .alert = "a",
                           .row = R"({"x":1})",
                           .found = Instant{3}};
  ASSERT_TRUE(Of().PutFinding(finding));
  const FindingRow read = Of().Finding("f").value().value();
  EXPECT_EQ(std::tie(read.rule, read.stream, read.event, read.entity.type, read.entity.id),
            std::tie(finding.rule, finding.stream, finding.event, finding.entity.type,
                     finding.entity.id));
  EXPECT_EQ(std::tie(read.time, read.tick, read.state, read.state_reason, read.alert, read.row,
                     read.found),
            std::tie(finding.time, finding.tick, finding.state, finding.state_reason, finding.alert,
                     finding.row, finding.found));
  EXPECT_EQ(Of().FindingsOfEvent("rule", kStream, 5, "").value().size(), 1U);
  EXPECT_THAT(Of().FindingsOfEvent("rule", kStream, 6, "").value(), IsEmpty());
  EXPECT_EQ(Of().FindingsOfAlert("a").value().size(), 1U);
  EXPECT_FALSE(Of().Finding("g").value());
  ASSERT_TRUE(Of().PutFinding(finding));
  EXPECT_EQ(Of().FindingsOfAlert("a").value().size(), 1U) << "the same id is the same finding";
}

TEST_F(AlertStoreTest, AlertsComeMostUrgentFirstThenNewest) {
  AlertRow closed = Alert("closed", 1, 99);
  closed.status = "closed";
  for (const AlertRow& alert : {Alert("low", 4, 50), Alert("old", 1, 10), Alert("new", 1, 20)}) {
    ASSERT_TRUE(Of().PutAlert(alert));
  }
  ASSERT_TRUE(Of().PutAlert(closed));
  EXPECT_THAT(Of().Alerts(false).value(),
              ElementsAre(Field(&AlertRow::id, "new"), Field(&AlertRow::id, "old"),
                          Field(&AlertRow::id, "low")));
  EXPECT_EQ(Of().Alerts(true).value().size(), 4U);
  EXPECT_EQ(Of().AlertsOfEntity("rule", {"user", "u1", "another name"}).value().size(), 4U);
  EXPECT_EQ(Of().AlertsOfIncident("incident").value().size(), 4U);
  const AlertRow read = Of().Alert("low").value().value();
  EXPECT_EQ(read.reopened, Instant{4});
  EXPECT_EQ(read.count, 7);
  EXPECT_EQ(read.detail, R"({"title":"t"})");
}

TEST_F(AlertStoreTest, EvidenceIsBounded) {
  for (std::int64_t i = 0; i < kMaxEvidence + 20; ++i) {
    ASSERT_TRUE(Of().PutEvidence("a", {"f" + std::to_string(i), Instant{i}, "{}"}));
  }
  EXPECT_EQ(Of().Evidence("a").value().size(), static_cast<std::size_t>(kMaxEvidence));
  ASSERT_TRUE(Of().PutEvidence("a", {"f0", Instant{7}, "newer"})) << "a known row is renewed";
  const auto rows = Of().Evidence("a").value();
  EXPECT_EQ(rows.size(), static_cast<std::size_t>(kMaxEvidence));
  EXPECT_TRUE(std::any_of(rows.begin(), rows.end(),
                          [](const EvidenceRow& row) { return row.row == "newer"; }));
}

TEST_F(AlertStoreTest, IncidentsAndCursorsComeBack) {
  const IncidentRow incident{.id = "i",
                             .entity = {"user", "u1", "Ann"},
                             .title = "t",
                             .status = "new",
                             .severity = 3,
                             .priority = 2,
                             .first_seen = Instant{1},
                             .last_seen = Instant{2},
                             .opened = Instant{3},
                             .updated = Instant{4}};
  ASSERT_TRUE(Of().PutIncident(incident));
  EXPECT_EQ(Of().Incident("i").value().value().title, "t");
  EXPECT_EQ(Of().IncidentsOfEntity(incident.entity).value().size(), 1U);
  EXPECT_EQ(Of().Incidents(false).value().size(), 1U);
  EXPECT_FALSE(Of().AnyCursor().value());
  ASSERT_TRUE(Of().PutCursor("rule", {.hash = "h", .seq = 9, .evaluated = Instant{8}}));
  EXPECT_TRUE(Of().AnyCursor().value());
  EXPECT_EQ(Of().Cursor("rule").value().value().seq, 9);
}

TEST_F(AlertStoreTest, WhatAnOpenAlertCitesIsKnownByTheEventsOwnId) {
  const auto put = [&](const std::string& id, const std::string& alert, std::int64_t time) {
    ASSERT_TRUE(Of().PutFinding({.id = "f" + id + alert,
                                 .rule = "rule",
                                 .stream = kStream,
                                 .event = time,
                                 .event_id = id,
                                 .time = Instant{time},
                                 .alert = alert}));
  };
  put("old", "open", 1);
  put("new", "open", 2);
  put("new", "another", 2);
  put("closed", "closed", 3);
  put("", "open", 4);
  AlertRow closed = Alert("closed", 1, 1);
  closed.status = "closed";
  ASSERT_TRUE(Of().PutAlert(closed));
  ASSERT_TRUE(Of().PutAlert(Alert("open", 1, 1)));
  ASSERT_TRUE(Of().PutAlert(Alert("another", 1, 1)));
  EXPECT_THAT(Of().CitedByOpenAlerts(kStream, 9).value(), ElementsAre("new", "old"));
  EXPECT_THAT(Of().CitedByOpenAlerts(kStream, 1).value(), ElementsAre("new"));
  EXPECT_THAT(Of().CitedByOpenAlerts("another", 9).value(), IsEmpty());
  EXPECT_EQ(Of().FindingsOfEvent("rule", kStream, 99, "new").value().size(), 2U);
  EXPECT_EQ(Of().FindingsOfEvent("rule", kStream, 4, "").value().size(), 1U);
}

TEST_F(AlertStoreTest, ATickIsOneTransaction) {
  {
    auto transaction = store->Begin();
    ASSERT_TRUE(Of().PutFinding({.id = "f", .alert = "a"}));
    ASSERT_TRUE(Of().PutAlert(Alert("a", 1, 1)));
    ASSERT_TRUE(Of().PutCursor("rule", {.seq = 9}));
  }
  EXPECT_FALSE(Of().Finding("f").value());
  EXPECT_FALSE(Of().Alert("a").value());
  EXPECT_FALSE(Of().Cursor("rule").value());
}

TEST_F(AlertStoreTest, DecisionsAreOnlyEverAdded) {
  Decisions& decisions = store->decisions();
  const Decision known{
      .time = Instant{1}, .who = "ann", .subject = "i", .kind = "close", .text = "known"};
  EXPECT_EQ(decisions.Append(known).value(), 1);
  EXPECT_EQ(decisions.Append({.time = Instant{2}, .who = "bob", .subject = "i"}).value(), 2);
  EXPECT_EQ(decisions.Append({.time = Instant{3}, .who = "ann", .subject = "j"}).value(), 3);
  const std::vector<Decision> read = decisions.Of("i").value();
  ASSERT_EQ(read.size(), 2U) << "oldest first";
  EXPECT_EQ(std::tie(read[0].time, read[0].who, read[0].subject, read[0].kind, read[0].text),
            std::tie(known.time, known.who, known.subject, known.kind, known.text));
  EXPECT_EQ(read[1].who, "bob");
  store.reset();
  auto database = Database::Open(File(), {.application_id = kTenantApplicationId}).value();
  for (const char* sql : {"UPDATE decision SET who='bob'", "DELETE FROM decision"}) {
    const Status status = database->Execute(sql);
    ASSERT_FALSE(status) << sql;
    EXPECT_NE(status.error().message.find("append-only"), std::string::npos);
  }
  EXPECT_EQ(database->QueryInt("SELECT count(*) FROM decision WHERE who='ann'").value(), 2);
}

TEST_F(AlertStoreTest, AStreamsStateSurvivesARestart) {
  StreamState state{.state = "throttled",
                    .reason = "429",
                    .not_before = Instant{5},
                    .next_due = Instant{6},
                    .failures = 2,
                    .interval = kMinute,
                    .width = kHour,
                    .page_size = 500,
                    .probe = "a=1;",
                    .last_success = Instant{7},
                    .last_error = "e",
                    .error_kind = "throttled"};
  EXPECT_EQ(store->streams().Get(kStream).value().state, "waiting");
  ASSERT_TRUE(store->streams().Put(kStream, state));
  Reopen();
  const StreamState read = store->streams().Get(kStream).value();
  EXPECT_EQ(std::tie(read.state, read.reason, read.not_before, read.next_due, read.failures),
            std::tie(state.state, state.reason, state.not_before, state.next_due, state.failures));
  EXPECT_EQ(std::tie(read.interval, read.width, read.page_size, read.probe, read.last_success,
                     read.last_error, read.error_kind),
            std::tie(state.interval, state.width, state.page_size, state.probe, state.last_success,
                     state.last_error, state.error_kind));
  EXPECT_EQ(store->streams().Put("unknown", state).error().kind, ErrorKind::kInternal);
}

TEST(AgentStoreTest, BudgetsAndHoldsSurviveARestart) {
  ScratchDirectory folder;
  {
    auto store = AgentStore::Open(folder.path()).value();
    for (const std::int64_t second : {1, 3, 2}) {
      ASSERT_TRUE(store->NoteRequest({"app", "audit", "t", Instant{} + kSecond * second}));
    }
    ASSERT_TRUE(store->Hold("entra", Instant{50}, "Retry-After"));
    ASSERT_TRUE(store->Hold("entra", Instant{60}, "Retry-After"));
  }
  auto store = AgentStore::Open(folder.path()).value();
  EXPECT_EQ(store->HeldUntil("entra").value(), Instant{60});
  EXPECT_FALSE(store->HeldUntil("other").value());
  const auto requests = store->RequestsSince(Instant{} + kSecond * 2).value();
  ASSERT_EQ(requests.size(), 2U);
  EXPECT_EQ(requests[0].time, Instant{} + kSecond * 2) << "oldest first";
  EXPECT_EQ(requests[0].app, "app");
  EXPECT_EQ(store->RequestsSince(Instant{}).value().size(), 2U) << "older ones are forgotten";
}

}  // namespace
}  // namespace picket::storage
