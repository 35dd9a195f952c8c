// One output's delivery: order, what becomes of failures, and that nothing is lost or blocked.

#include "agent/outputs/lane.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <nlohmann/json.hpp>
#include <set>

#include "agent/outputs/digest.h"
#include "tests/outputs/delivery_fixture.h"

namespace picket::outputs {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class LaneTest : public DeliveryTest {
 protected:
  Receiver& soc() { return receivers_["soc"]; }
  std::vector<storage::OutboxEntry> Of(const std::string& state, std::size_t tenant = 0) {
    return OutboxOf(tenant).Entries(state, 1000).value();
  }
  // What the agent tells of itself by the other output.
  std::vector<nlohmann::json> Told() {
    const auto other = MakeLane("other");
    Drain(*other);
    std::vector<nlohmann::json> told;
    for (const Message& message : receivers_["other"].got) {
      EXPECT_EQ(message.type, kAgentAlert);
      told.push_back(nlohmann::json::parse(message.body));
    }
    return told;
  }
};

TEST_F(LaneTest, TheMostUrgentOfAllTenantsGoesFirstAndEqualsTakeTurns) {
  Put("low", 4, "soc", 0);
  for (const char* incident : {"a1", "a2", "a3"}) Put(incident, 3, "soc", 0);
  Put("b1", 3, "soc", 1);
  Put("urgent", 1, "soc", 1);
  Put("not ours", 1, "other", 0);
  const auto lane = MakeLane();
  Drain(*lane);
  EXPECT_THAT(soc().Incidents(), ElementsAre("urgent", "a1", "b1", "a2", "a3", "low"));
  EXPECT_EQ(lane->delivered(), 6);
  EXPECT_EQ(Pending(0), 1) << "the other output's";
  EXPECT_EQ(Pending(1), 0);
}

TEST_F(LaneTest, AReceiverHearsOpenedThenUpdatedThenClosed) {
  const auto lane = MakeLane();
  Put("i", 3);
  Drain(*lane);
  Put("i", 2, "soc", 0, "incident", 2);
  Put("i", 1, "soc", 0, "incident", 3);
  Drain(*lane);
  Put("i", 1, "soc", 0, "incident.closed", 4);
  Drain(*lane);
  EXPECT_THAT(soc().Types(), ElementsAre(kOpened, kUpdated, kClosed));
  EXPECT_EQ(soc().got[1].priority, 1) << "the state between was superseded";
}

TEST_F(LaneTest, AFailedTryComesAgainWithTheSameIdAndTheWaitsGrow) {
  const std::string id = Put("i", 3);
  std::vector<Instant> times;
  soc().answer = [&](const Message& message) {
    EXPECT_EQ(message.id, id);
    times.push_back(clock_.Now());
    return times.size() < 5 ? Away() : Attempt{};
  };
  const auto lane = MakeLane();
  RunFor(*lane, kHour);
  ASSERT_EQ(times.size(), 5U);
  for (std::size_t i = 2; i < times.size(); ++i) {
    EXPECT_GT(times[i] - times[i - 1], times[i - 1] - times[i - 2]);
  }
  EXPECT_EQ(Pending(), 0);
}

TEST_F(LaneTest, AReceiverThatIsAwayIsLeftAloneAlsoByTheNextProcess) {
  for (int i = 0; i < 50; ++i) Put(fmt::format("i{}", i), 3);
  soc().answer = [](const Message&) { return Away(); };
  {
    const auto lane = MakeLane();
    Drain(*lane);
    EXPECT_EQ(soc().tried.size(), 3U) << "three different ones, then no more";
    EXPECT_TRUE(lane->failing());
  }
  Reopen();
  const auto lane = MakeLane();
  Drain(*lane);
  EXPECT_EQ(soc().tried.size(), 3U);
  EXPECT_TRUE(lane->failing()) << "as it was left";
  RunFor(*lane, kHour * 10);
  EXPECT_LT(soc().tried.size(), 3U + 2 * 45) << "two tries every quarter of an hour at most";
  soc().answer = [](const Message&) { return Attempt{}; };
  RunFor(*lane, kMinute * 20);
  EXPECT_EQ(Pending(), 0);
  EXPECT_FALSE(lane->failing());
  EXPECT_THAT(Of("dead"), IsEmpty()) << "it was nobody's fault";
  ASSERT_GE(notes_.size(), 2U);
  EXPECT_TRUE(notes_.front().error);
  EXPECT_FALSE(notes_.back().error) << "well again, and said once";
}

TEST_F(LaneTest, AnOutputThatIsDownForThreeDaysDrainsInOrderWithADigestForPeople) {
  soc().people = true;
  soc().answer = [](const Message&) { return Away(); };
  const auto lane = MakeLane();
  std::set<std::string> urgent, others;
  for (int hour = 0; hour < 72; ++hour) {
    const int priority = 1 + hour % 5;
    const std::string incident = fmt::format("h{}", hour);
    Put(incident, priority, "soc", static_cast<std::size_t>(hour % 2));
    (priority < kFoldedFrom ? urgent : others).insert(incident);
    RunFor(*lane, kHour);
  }
  EXPECT_THAT(soc().got, IsEmpty());
  soc().answer = [](const Message&) { return Attempt{}; };
  RunFor(*lane, kHour);
  const auto& got = soc().got;
  int last = 0;
  std::set<std::string> alone, listed;
  std::size_t digests = 0;
  for (const Message& message : got) {
    EXPECT_GE(message.priority, last) << "most urgent first";
    last = message.priority;
    const auto body = nlohmann::json::parse(message.body);
    if (message.type == kDigest) {
      ++digests;
      for (const auto& line : body["incidents"]) listed.insert(line["id"]);
    } else {
      alone.insert(body["id"]);
    }
  }
  EXPECT_EQ(digests, 2U) << "one a tenant";
  for (const std::string& incident : urgent) EXPECT_THAT(alone, Contains(incident));
  for (const std::string& incident : others) {
    EXPECT_TRUE(listed.contains(incident) != alone.contains(incident)) << incident;
  }
  EXPECT_LE(alone.size(), urgent.size() + 3) << "but for what came in the last hours";
  EXPECT_EQ(Pending(0) + Pending(1), 0);
  EXPECT_THAT(Of("dead"), IsEmpty());
  // What the digest told is known: the next state is an update.
  Put(*others.begin(), 3, "soc", static_cast<std::size_t>(std::stoi(others.begin()->substr(1)) % 2),
      "incident", 2);
  Drain(*lane);
  EXPECT_EQ(got.back().type, kUpdated);
}

TEST_F(LaneTest, AMachineGetsEveryOneAndIsToldBeforeThatTheyAreLate) {
  soc().answer = [](const Message&) { return Away(); };
  const auto lane = MakeLane();
  for (int i = 0; i < 20; ++i) Put(fmt::format("i{}", i), 1 + i % 5);
  RunFor(*lane, kDay * 3);
  soc().answer = [](const Message&) { return Attempt{}; };
  RunFor(*lane, kHour);
  ASSERT_EQ(soc().got.size(), 21U);
  EXPECT_EQ(soc().got[0].priority, 1) << "it found the receiver back";
  EXPECT_EQ(soc().got[1].type, kDigest);
  EXPECT_EQ(nlohmann::json::parse(soc().got[1].body)["by_priority"]["P1"], 3);
  for (std::size_t i = 3; i < soc().got.size(); ++i) {
    EXPECT_LE(soc().got[i - 1].priority, soc().got[i].priority);
  }
  EXPECT_EQ(Pending(), 0);
}

TEST_F(LaneTest, PoisonBlocksNobodyDiesAndIsToldByAnotherOutput) {
  const std::string poison = Put("poison", 1);
  soc().answer = [&](const Message& message) { return message.id == poison ? Away() : Attempt{}; };
  const auto lane = MakeLane();
  for (int minute = 0; minute < 60 * 12; ++minute) {
    const std::string id = Put(fmt::format("m{}", minute), 4);
    RunFor(*lane, kMinute);
    EXPECT_EQ(soc().got.back().id, id) << "within its minute";
  }
  const auto dead = Of("dead");
  ASSERT_EQ(dead.size(), 1U);
  EXPECT_EQ(dead[0].id, poison);
  EXPECT_THAT(dead[0].error, HasSubstr("while others went through"));
  EXPECT_THAT(dead[0].error, HasSubstr("no answer"));
  const auto told = Told();
  ASSERT_EQ(told.size(), 1U);
  EXPECT_EQ(told[0]["output"], "soc");
  EXPECT_EQ(told[0]["tenant"], "a");
}

TEST_F(LaneTest, ManyPoisonedOnesAtTheHeadDoNotHideThatTheReceiverIsWell) {
  std::set<std::string> poison;
  for (int i = 0; i < 6; ++i) poison.insert(Put(fmt::format("poison{}", i), 1));
  soc().answer = [&](const Message& message) {
    return poison.contains(message.id) ? Away() : Attempt{};
  };
  const auto lane = MakeLane();
  RunFor(*lane, kHour);
  Put("healthy", 5);
  RunFor(*lane, kMinute * 16);
  EXPECT_THAT(soc().Incidents(), ElementsAre("healthy"));
}

TEST_F(LaneTest, WhatIsRefusedForGoodIsDeadAtOnceAndToldByTheOtherOutput) {
  const std::string id = Put("bad", 2);
  Put("good", 3);
  soc().answer = [&](const Message& message) { return message.id == id ? Refuses() : Attempt{}; };
  const auto lane = MakeLane();
  Drain(*lane);
  EXPECT_THAT(soc().Incidents(), ElementsAre("good"));
  ASSERT_EQ(Of("dead").size(), 1U);
  EXPECT_EQ(Of("dead")[0].error, "answered 400");
  ASSERT_EQ(Told().size(), 1U);
}

TEST_F(LaneTest, AClosedReceiverKillsNothingAndIsToldOnceWithTheRemedy) {
  for (int i = 0; i < 5; ++i) Put(fmt::format("i{}", i), 3);
  soc().answer = [](const Message&) { return Closed(); };
  const auto lane = MakeLane();
  RunFor(*lane, kDay);
  EXPECT_LE(soc().tried.size(), 97U) << "one try every quarter of an hour";
  EXPECT_EQ(Pending(), 5);
  const auto told = Told();
  ASSERT_EQ(told.size(), 1U);
  EXPECT_EQ(told[0]["hint"], "Renew it.");
  EXPECT_EQ(agent_->Output("soc").value().hint, "Renew it.");
  soc().answer = [](const Message&) { return Attempt{}; };
  RunFor(*lane, kMinute * 20);
  EXPECT_EQ(Pending(), 0);
  EXPECT_EQ(agent_->Output("soc").value().error, "");
}

TEST_F(LaneTest, AReceiverThatAsksToWaitIsNotAskedBefore) {
  Put("i", 1);
  soc().answer = [](const Message&) { return Busy(std::chrono::minutes(7)); };
  const auto lane = MakeLane();
  RunFor(*lane, kMinute * 6);
  EXPECT_EQ(soc().tried.size(), 1U);
  Put("j", 1);
  RunFor(*lane, kSecond * 50);
  EXPECT_EQ(soc().tried.size(), 1U);
  RunFor(*lane, kSecond * 20);
  EXPECT_EQ(soc().tried.size(), 2U);
}

TEST_F(LaneTest, WhatWaitedTooLongIsDeadAndSaidSo) {
  Put("old", 1);
  soc().answer = [](const Message&) { return Away(); };
  const auto lane = MakeLane("soc", kDay * 2);
  RunFor(*lane, kDay * 3);
  EXPECT_EQ(Pending(), 0);
  ASSERT_EQ(Of("dead").size(), 1U);
  EXPECT_THAT(Of("dead")[0].error, HasSubstr("longer than 2d"));
  // That it is down, and that one is dead.
  EXPECT_EQ(Told().size(), 2U);
}

TEST_F(LaneTest, AnAlertThatNobodyTakesRaisesNoFurtherOnes) {
  for (const char* output : {"soc", "other"}) {
    receivers_[output].answer = [](const Message&) { return Refuses(); };
  }
  Put("i", 1);
  const auto soc_lane = MakeLane("soc");
  const auto other_lane = MakeLane("other");
  for (int i = 0; i < 5; ++i) {
    RunFor(*soc_lane, kHour);
    RunFor(*other_lane, kHour);
  }
  EXPECT_EQ(soc().tried.size(), 1U);
  EXPECT_EQ(receivers_["other"].tried.size(), 1U);
}

TEST_F(LaneTest, AStopLeavesAllAsItWas) {
  Put("i", 1);
  std::stop_source stop;
  soc().answer = [&](const Message&) {
    stop.request_stop();
    Attempt attempt = Away();
    attempt.error.kind = ErrorKind::kCancelled;
    return attempt;
  };
  const auto lane = MakeLane();
  EXPECT_EQ(lane->Advance(stop.get_token()).next, Lane::Step::Next::kStopped);
  EXPECT_EQ(Pending(), 1);
  EXPECT_EQ(Of("pending")[0].attempts, 0);
  EXPECT_FALSE(lane->failing());
}

}  // namespace
}  // namespace picket::outputs
