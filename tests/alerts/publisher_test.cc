// What outputs are told of incidents: in the transaction of the alerts, each state once.

#include "agent/alerts/publisher.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <utility>

#include "tests/scratch_directory.h"

namespace picket::alerts {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class PublisherTest : public testing::Test {
 protected:
  PublisherTest() {
    store_ = storage::TenantStore::Open(folder_.path(), tenant_, {}, {}, {}).value();
    publisher_ = std::make_unique<Publisher>(
        *store_, tenant_,
        Telling{.tenant = "contoso",
                .to = {{.output = "all"}, {.output = "pager", .min_priority = Priority::kP2}}});
    EXPECT_TRUE(publisher_->Begin(now_));
  }
  // The incident as it is from now on, and whom it is told.
  void Tell(const std::string& id, Priority priority, const std::string& status = "new",
            std::int64_t count = 1, std::optional<Instant> seen = {}) {
    auto transaction = store_->Begin();
    const Instant time = seen.value_or(now_);
    const storage::EntityKey who{"user", "ada", "ada"};
    EXPECT_TRUE(store_->alerts().PutAlert({.id = "alert of " + id,
                                           .rule = "r",
                                           .entity = who,
                                           .incident = id,
                                           .status = status,
                                           .priority = static_cast<int>(priority),
                                           .count = count,
                                           .updated = now_,
                                           .detail = R"({"title":"Risky"})"}));
    EXPECT_TRUE(store_->alerts().PutIncident({.id = id,
                                              .entity = who,
                                              .title = "Risky: ada",
                                              .status = status,
                                              .priority = static_cast<int>(priority),
                                              .first_seen = time,
                                              .last_seen = time,
                                              .updated = now_}));
    EXPECT_TRUE(publisher_->Tell(id, now_));
    EXPECT_TRUE(transaction->Commit());
  }
  std::vector<storage::OutboxEntry> Due(const std::string& output) {
    return store_->outbox().Due(output, now_, 100).value();
  }
  std::vector<std::string> DueIncidents(const std::string& output) {
    std::vector<std::string> incidents;
    for (const auto& entry : Due(output)) incidents.push_back(entry.incident);
    return incidents;
  }
  void DeliverAll(const std::string& output) {
    for (const auto& entry : Due(output)) {
      EXPECT_TRUE(store_->outbox().Acknowledged(entry.id, "", now_));
    }
  }

  const ScratchDirectory folder_{ScratchDirectory::Where::kMemory};
  const Guid tenant_ = Uuid5(kPicketNamespace, "publisher test");
  Instant now_ = *ParseRfc3339("2026-11-24T10:00:00Z");
  std::unique_ptr<storage::TenantStore> store_;
  std::unique_ptr<Publisher> publisher_;
};

TEST_F(PublisherTest, EachOutputIsToldWhatIsUrgentEnoughForIt) {
  Tell("i", Priority::kP3);
  Tell("j", Priority::kP2);
  EXPECT_THAT(DueIncidents("all"), ElementsAre("j", "i"));
  EXPECT_THAT(DueIncidents("pager"), ElementsAre("j"));
  const auto body = nlohmann::json::parse(Due("pager")[0].body);
  EXPECT_EQ(body["id"], "j");
  EXPECT_EQ(body["tenant"], "contoso");
  EXPECT_EQ(body["priority"], "P2");
  EXPECT_EQ(body["alerts"][0]["title"], "Risky");
}

TEST_F(PublisherTest, TheSameStateIsToldOnceAndOneThatComesAgainIsNews) {
  Tell("i", Priority::kP3);
  const std::string first = Due("all")[0].id;
  DeliverAll("all");
  const Instant seen = std::exchange(now_, now_ + kHour);
  Tell("i", Priority::kP3, "new", 1, seen);
  EXPECT_THAT(Due("all"), IsEmpty()) << "a replay";
  Tell("i", Priority::kP3, "closed", 1, seen);
  ASSERT_EQ(Due("all").size(), 1U);
  EXPECT_EQ(Due("all")[0].kind, "incident.closed");
  DeliverAll("all");
  Tell("i", Priority::kP3, "new", 1, seen);
  ASSERT_EQ(Due("all").size(), 1U) << "as it was before it was closed";
  EXPECT_NE(Due("all")[0].id, first);
}

TEST_F(PublisherTest, WhatAnOutputWasToldOfItIsToldToTheEnd) {
  Tell("i", Priority::kP2);
  DeliverAll("pager");
  Tell("i", Priority::kP5);
  EXPECT_THAT(DueIncidents("pager"), ElementsAre("i"));
  DeliverAll("pager");
  Tell("i", Priority::kP5, "closed");
  EXPECT_THAT(DueIncidents("pager"), ElementsAre("i"));
  Tell("never told", Priority::kP5, "closed");
  EXPECT_THAT(DueIncidents("all"), ElementsAre("i"));
}

TEST_F(PublisherTest, MoreOfTheSameIsToldOnceAnHourWhatChangesItAtOnce) {
  Tell("i", Priority::kP3);
  DeliverAll("all");
  now_ = now_ + kMinute;
  Tell("i", Priority::kP3, "new", 2);
  EXPECT_THAT(Due("all"), IsEmpty());
  now_ = now_ + kMinute;
  Tell("i", Priority::kP3, "new", 3);
  now_ = now_ + kMinute * 58;
  ASSERT_EQ(Due("all").size(), 1U);
  EXPECT_EQ(nlohmann::json::parse(Due("all")[0].body)["count"], 3) << "the last state only";
  DeliverAll("all");
  now_ = now_ + kMinute;
  Tell("i", Priority::kP1, "new", 4);
  EXPECT_THAT(DueIncidents("all"), ElementsAre("i"));
  now_ = now_ + kMinute;
  Tell("i", Priority::kP1, "new", 5);
  EXPECT_THAT(DueIncidents("all"), ElementsAre("i")) << "still at once";
}

TEST_F(PublisherTest, HistoryIsNoNewsButForWhatIsMostUrgentAndYoung) {
  Tell("old", Priority::kP2, "new", 1, now_ - kHour * 3);
  Tell("urgent", Priority::kP1, "new", 1, now_ - kHour * 30);
  Tell("too old", Priority::kP1, "new", 1, now_ - kHour * 50);
  EXPECT_THAT(DueIncidents("all"), ElementsAre("urgent"));
  // After a pause of days what is read late is news all the same.
  now_ = now_ + kDay * 3;
  Tell("late", Priority::kP4, "new", 1, now_ - kDay * 2);
  EXPECT_THAT(DueIncidents("all"), ElementsAre("urgent", "late"));
}

TEST_F(PublisherTest, AnIncidentOfAnySizeFitsAndSaysWhatWasLeftOut) {
  IncidentView incident;
  incident.id = "i";
  for (int i = 0; i < 300; ++i) {
    AlertView alert;
    alert.id = std::to_string(i);
    alert.description = std::string(3000, 'd');
    alert.count = 100;
    for (int row = 0; row < 100; ++row) {
      alert.evidence.push_back({.columns = {{"UserAgent", std::string(500, 'u')}}});
    }
    incident.alerts.push_back(alert);
  }
  for (const std::size_t alerts : {1U, 2U, 10U, 300U}) {
    IncidentView some = incident;
    some.alerts.resize(alerts);
    const nlohmann::json object = ToBoundedJson(some, kMostTold);
    EXPECT_LE(object.dump().size(), kMostTold) << alerts;
    EXPECT_EQ(object["count"], 100 * alerts);
    EXPECT_GT(object["alerts"][0]["evidence_omitted"], 0);
    const std::size_t omitted = object.value("alerts_omitted", std::size_t{0});
    EXPECT_EQ(object["alerts"].size() + omitted, alerts);
  }
}

}  // namespace
}  // namespace picket::alerts
