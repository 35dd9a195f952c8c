// kill -9 at every statement of delivery that writes, and between a send and its acknowledgement.

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <map>

#include "storage/crash_points.h"
#include "tests/outputs/delivery_fixture.h"

namespace picket::outputs {
namespace {

class DeliveryCrashTest : public DeliveryTest {
 protected:
  // Every acknowledged id, a line each, survives the process: as a receiver's own file does.
  void Receive() {
    for (const char* output : {"soc", "other"}) {
      receivers_[output].people = true;
      receivers_[output].answer = [this](const Message& message) {
        if (message.body.find("\"refused\"") != std::string::npos) return Refuses();
        std::ofstream(folder_.path() / "received", std::ios::app) << message.id << '\n';
        return Attempt{};
      };
    }
  }
  void Work() {
    Reopen();
    Receive();
    const auto soc = MakeLane("soc");
    RunFor(*soc, kHour);
    const auto other = MakeLane("other");
    RunFor(*other, kHour);
  }
  void Fill() {
    Put("refused", 1);
    for (int i = 0; i < 7; ++i) Put("i" + std::to_string(i), 2 + i % 3, "soc", i % 2 == 0 ? 0 : 1);
    for (int i = 0; i < 6; ++i) Put("low" + std::to_string(i), 4);
    clock_.Pass(kHour * 3);
    Put("fresh", 4);
  }
  std::map<std::string, int> Received() {
    std::map<std::string, int> counts;
    std::ifstream file(folder_.path() / "received");
    for (std::string line; std::getline(file, line);) ++counts[line];
    return counts;
  }
  void Clean() {
    Close();
    std::filesystem::remove_all(folder_.path() / "tenants");
    for (const char* name : {"agent.db", "agent.db-wal", "agent.db-shm", "received"}) {
      std::filesystem::remove(folder_.path() / name);
    }
    Reopen();
  }
};

#ifdef PICKET_CRASH_POINTS

TEST_F(DeliveryCrashTest, EachIsDeliveredAtLeastOnceAndOnlyTheOneInHandTwiceWithItsOldId) {
  Fill();
  storage::CrashAt(0);
  Work();
  const long points = storage::CrashPointsPassed();
  const std::map<std::string, int> expected = Received();
  ASSERT_GT(points, 60);
  ASSERT_GT(expected.size(), 6U);
  for (const auto& [id, count] : expected) EXPECT_EQ(count, 1) << id;

  for (long at = 1; at <= points; ++at) {
    clock_.Reset();
    Clean();
    Fill();
    Close();
    const pid_t child = ::fork();
    if (child == 0) {
      storage::CrashAt(at);
      Work();
      ::_exit(0);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) << "point " << at;
    Work();
    const std::map<std::string, int> received = Received();
    int twice = 0;
    for (const auto& [id, count] : expected) {
      const auto found = received.find(id);
      ASSERT_NE(found, received.end()) << id << " was lost at point " << at;
      ASSERT_LE(found->second, 2) << "point " << at;
      twice += found->second - 1;
    }
    ASSERT_LE(twice, 1) << "point " << at;
    ASSERT_EQ(received.size(), expected.size()) << "the same ids, at point " << at;
    ASSERT_EQ(OutboxOf(0).Depth().value().dead, 1) << "point " << at;
    ASSERT_EQ(Pending(0) + Pending(1), 0) << "point " << at;
  }
  RecordProperty("crash_points", static_cast<int>(points));
}

TEST_F(DeliveryCrashTest, WhatCannotBeWrittenDownIsNotSentAgain) {
  Receive();
  const auto lane = MakeLane("soc");
  std::size_t sent = 0;
  long failed = 0;
  while (true) {
    Put("i" + std::to_string(++sent), 1);
    storage::FailWriteAt(failed + 1);
    Drain(*lane);
    const bool all_written = !storage::WriteHasFailed();
    storage::FailWriteAt(0);
    RunFor(*lane, kMinute * 2);
    ASSERT_EQ(receivers_["soc"].tried.size(), sent) << "write " << failed + 1;
    ASSERT_EQ(Pending(), 0) << "write " << failed + 1;
    if (all_written) break;
    ++failed;
  }
  EXPECT_GT(failed, 4) << "every write of a delivery was tried";
  EXPECT_EQ(lane->delivered(), std::ssize(receivers_["soc"].got));
}

#else

TEST(DeliveryCrashTest, NeedsABuildWithCrashPoints) {
  GTEST_SKIP() << "this build has no crash points (a package has none)";
}

#endif

}  // namespace
}  // namespace picket::outputs
