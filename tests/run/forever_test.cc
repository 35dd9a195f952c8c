// `run`: rounds without end. A tenant whose file cannot be opened is tried again every quarter of
// an hour, and comes back when it is mended; the others go on meanwhile.

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "tests/run/run_fixture.h"

namespace picket::run {
namespace {

constexpr Timespan kReopen = kMinute * 15;

// Days play in seconds: waits until the next request or poll move the time. Longer ones, which are
// those for a tenant's file, wait until the time has been moved so far.
class FastClock final : public Clock {
 public:
  [[nodiscard]] Instant Now() const override { return start_ + Timespan{passed_}; }
  [[nodiscard]] Ticks Steady() const override {
    return Ticks{} + std::chrono::nanoseconds(passed_ * 100);
  }
  bool SleepUntil(Ticks until, std::stop_token stop) override {
    const std::int64_t target =
        std::chrono::duration_cast<std::chrono::nanoseconds>(until.time_since_epoch()).count() /
        100;
    if (stop.stop_requested()) return false;
    if (target - passed_ < kLong.ticks) {
      MoveTo(target);
      return true;
    }
    std::unique_lock lock(mutex_);
    const auto mine = targets_.insert(target);
    changed_.notify_all();
    const bool reached = changed_.wait(lock, stop, [&] { return passed_ >= target; });
    targets_.erase(mine);
    return reached;
  }
  // Once somebody waits for long.
  void PassWhenWaitedFor(Timespan span) {
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [&] { return !targets_.empty() && *targets_.rbegin() > passed_; });
    }
    MoveTo(passed_ + span.ticks);
  }

 private:
  static constexpr Timespan kLong = kMinute * 10;

  void MoveTo(std::int64_t target) {
    const std::lock_guard lock(mutex_);
    passed_ = std::max(passed_.load(), target);
    changed_.notify_all();
  }

  const Instant start_ = SystemClock().Now();
  std::atomic<std::int64_t> passed_ = 0;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::multiset<std::int64_t> targets_;  // of the long waits
};

struct WithClock {
  FastClock clock_;
};

class ForeverTest : private WithClock, public AgentTest {
 protected:
  ForeverTest() : AgentTest({.now = [this] { return clock_.Now(); }, .limits = false}) {}

  void Open() {
    settings_.poll.first_window = kHour * 3;  // the first contact may come an hour late
    network_ = MakeHttpTransport(settings_.network).value();
    auto agent =
        Agent::Open(settings_, {.network = *network_, .clock = clock_, .machine_clock = clock_});
    ASSERT_TRUE(agent) << agent.error().message;
    agent_ = *std::move(agent);
  }
  void Close() { agent_.reset(); }
  FastClock& clock() { return clock_; }

  std::unique_ptr<HttpTransport> network_;
  std::unique_ptr<Agent> agent_;
};

TEST_F(ForeverTest, ABrokenTenantComesBackWhenItIsMendedAndTheOthersGoOnMeanwhile) {
  Emit(a_, 10, clock().Now());
  Emit(b_, 10, clock().Now());
  Break(a_);
  Open();
  std::vector<Instant> failed;  // when `a` was said to be broken
  int others = 0;               // rounds of `b` meanwhile
  std::stop_source stop;
  agent_->Forever(
      [&](const TenantOutcome& outcome) {
        if (outcome.tenant == "b") {
          EXPECT_TRUE(outcome.failures.empty());
          if (!failed.empty()) ++others;
        } else if (!outcome.failures.empty()) {
          EXPECT_EQ(outcome.failures[0].second.kind, ErrorKind::kStorage);
          failed.push_back(clock().Now());
          if (failed.size() == 3) Mend(a_);
        } else if (!outcome.polled.backfill_left) {
          stop.request_stop();  // all is read: rounds end early for the next poll
        }
      },
      {}, stop.get_token());
  ASSERT_EQ(failed.size(), 3U);
  EXPECT_GE(failed[1] - failed[0], kReopen);
  EXPECT_LT(failed[1] - failed[0], kReopen * 2);
  EXPECT_GE(others, 3);
  Close();
  ExpectAllStored(a_);
  ExpectAllStored(b_);
}

TEST_F(ForeverTest, WithNoUsableTenantItWaitsAndBeginsWhenOneIsMended) {
  settings_.tenants.resize(1);
  Emit(a_, 10, clock().Now());
  Break(a_);
  Open();
  std::atomic<int> failed = 0;
  std::stop_source stop;
  std::jthread running([&] {
    agent_->Forever(
        [&](const TenantOutcome& outcome) {
          if (!outcome.failures.empty()) {
            ++failed;
          } else if (!outcome.polled.backfill_left) {
            stop.request_stop();
          }
        },
        {}, stop.get_token());
  });
  clock().PassWhenWaitedFor(kReopen);
  clock().PassWhenWaitedFor(kMinute * 5);
  Mend(a_);
  clock().PassWhenWaitedFor(kMinute * 10);
  running.join();
  EXPECT_EQ(failed, 2);
  Close();
  ExpectAllStored(a_);
}

TEST_F(ForeverTest, AStopEndsTheWaitForATenantThatIsNeverMended) {
  settings_.tenants.resize(1);
  Break(a_);
  Open();
  int failed = 0;
  std::stop_source stop;
  agent_->Forever(
      [&](const TenantOutcome&) {
        ++failed;
        stop.request_stop();
      },
      {}, stop.get_token());
  EXPECT_EQ(failed, 1);
}

}  // namespace
}  // namespace picket::run
