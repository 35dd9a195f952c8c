#include "storage/outbox.h"

#include <gmock/gmock.h>

#include "tests/storage/store_fixture.h"

namespace picket::storage {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class OutboxTest : public StoreTest {
 protected:
  Outbox& Of() { return store->outbox(); }
  void Put(const std::string& id, const std::string& incident, int priority, std::int64_t created,
           const std::string& output = "soc") {
    ASSERT_TRUE(Of().Put({.id = id,
                          .output = output,
                          .incident = incident,
                          .kind = "incident.updated",
                          .priority = priority,
                          .body = "{}",
                          .created = Instant{created}}));
  }
  std::vector<std::string> Due(std::int64_t now, std::int64_t limit = 100,
                               const std::string& output = "soc") {
    std::vector<std::string> ids;
    const Result<std::vector<OutboxEntry>> due = Of().Due(output, Instant{now}, limit);
    for (const OutboxEntry& entry : due.value()) ids.push_back(entry.id);
    return ids;
  }
};

TEST_F(OutboxTest, TheMostUrgentGoesFirstThenTheOldest) {
  Put("late", "i1", 2, 9);
  Put("low", "i2", 4, 1);
  Put("early", "i3", 2, 3);
  Put("urgent", "i4", 1, 10);
  Put("elsewhere", "i5", 1, 1, "chat");
  EXPECT_THAT(Due(100), ElementsAre("urgent", "early", "late", "low"));
  EXPECT_THAT(Due(100, 2), ElementsAre("urgent", "early"));
  EXPECT_THAT(Due(100, 9, "chat"), ElementsAre("elsewhere"));
}

TEST_F(OutboxTest, ANewerStateOfAnIncidentTakesThePlaceOfTheOneThatWaits) {
  Put("opened", "i", 3, 1);
  Put("opened elsewhere", "i", 3, 1, "chat");
  Put("updated", "i", 2, 2);
  EXPECT_THAT(Due(100), ElementsAre("updated"));
  EXPECT_THAT(Due(100, 9, "chat"), ElementsAre("opened elsewhere")) << "another output's own";
  ASSERT_EQ(Of().Entries("superseded", 9).value().size(), 1U);
  EXPECT_EQ(Of().Entries("superseded", 9).value()[0].id, "opened");
  EXPECT_EQ(Of().Depth().value().pending, 2);
}

TEST_F(OutboxTest, TheSameStateAgainIsOneEntryAlsoWhenItWasDelivered) {
  Put("a", "i", 3, 1);
  ASSERT_TRUE(Of().Postponed("a", "503", Instant{50}));
  Put("a", "i", 3, 1);
  EXPECT_EQ(Of().Entries("", 9).value().at(0).attempts, 1) << "as it was";
  ASSERT_TRUE(Of().Acknowledged("a", "etag 1", Instant{60}));
  Put("a", "i", 3, 1);
  EXPECT_THAT(Of().Entries("", 9).value(), IsEmpty()) << "a replay sends nothing twice";
}

TEST_F(OutboxTest, ATryThatFailedWaitsAndOneThatIsRefusedForGoodStaysListed) {
  Put("a", "i", 3, 1);
  Put("b", "j", 3, 2);
  ASSERT_TRUE(Of().Postponed("a", "timeout", Instant{50}));
  EXPECT_THAT(Due(49), ElementsAre("b"));
  EXPECT_THAT(Due(50), ElementsAre("a", "b"));
  ASSERT_TRUE(Of().Dead("b", "400: no such workspace"));
  EXPECT_THAT(Due(100), ElementsAre("a"));
  const std::vector<OutboxEntry> dead = Of().Entries("dead", 9).value();
  ASSERT_EQ(dead.size(), 1U);
  EXPECT_EQ(std::tie(dead[0].id, dead[0].error, dead[0].attempts),
            std::make_tuple(std::string("b"), std::string("400: no such workspace"), 1));
  EXPECT_EQ(Of().Depth().value().dead, 1);
  Put("newer", "j", 3, 3);
  EXPECT_EQ(Of().Entries("dead", 9).value().size(), 1U) << "a newer state does not hide it";
  ASSERT_TRUE(Of().Expire(Instant{1000}));
  EXPECT_EQ(Of().Depth().value().dead, 1);
}

TEST_F(OutboxTest, WhatTheReceiverAcknowledgedIsADelivery) {
  Put("a", "i", 3, 1);
  EXPECT_FALSE(Of().LastDelivery("soc", "i").value());
  ASSERT_TRUE(Of().Postponed("a", "timeout", Instant{5}));
  // It arrived after all, while a newer state was put in its place.
  Put("b", "i", 3, 2);
  ASSERT_TRUE(Of().Acknowledged("a", "remote 7", Instant{6}));
  const Delivery first = Of().LastDelivery("soc", "i").value().value();
  EXPECT_EQ(std::tie(first.id, first.receipt, first.attempts, first.created, first.delivered),
            std::make_tuple(std::string("a"), std::string("remote 7"), 2, Instant{1}, Instant{6}));
  EXPECT_THAT(Due(100), ElementsAre("b"));
  ASSERT_TRUE(Of().Acknowledged("b", "remote 7", Instant{8}));
  EXPECT_EQ(Of().LastDelivery("soc", "i").value()->id, "b");
  EXPECT_FALSE(Of().LastDelivery("chat", "i").value());
}

TEST_F(OutboxTest, EntriesLiveAndDieWithTheAlertsThatTheyTellOf) {
  {
    auto transaction = store->Begin();
    ASSERT_TRUE(store->alerts().PutIncident({.id = "i", .status = "new"}));
    Put("a", "i", 1, 1);
  }
  EXPECT_FALSE(store->alerts().Incident("i").value());
  EXPECT_THAT(Due(100), IsEmpty());
  auto transaction = store->Begin();
  ASSERT_TRUE(store->alerts().PutIncident({.id = "i", .status = "new"}));
  Put("a", "i", 1, 1);
  ASSERT_TRUE(transaction->Commit());
  Reopen();
  EXPECT_TRUE(store->alerts().Incident("i").value());
  EXPECT_THAT(Due(100), ElementsAre("a"));
}

TEST_F(OutboxTest, OldHistoryGoesButNotWhatTheReceiverHas) {
  Put("first", "i", 3, 1);
  ASSERT_TRUE(Of().Acknowledged("first", "r1", Instant{2}));
  Put("second", "i", 3, 3);
  ASSERT_TRUE(Of().Acknowledged("second", "r2", Instant{4}));
  Put("third", "i", 3, 5);
  Put("fourth", "i", 3, 6);
  ASSERT_TRUE(Of().Expire(Instant{100}));
  EXPECT_EQ(Of().LastDelivery("soc", "i").value()->id, "second");
  EXPECT_THAT(Of().Entries("superseded", 9).value(), IsEmpty());
  EXPECT_THAT(Due(100), ElementsAre("fourth"));
}

}  // namespace
}  // namespace picket::storage
