#include "base/clock.h"

#include <gtest/gtest.h>

#include <ctime>
#include <thread>

namespace picket {
namespace {

TEST(ClockTest, NowIsTheTimeOfTheCLibrary) {
  const std::time_t before = std::time(nullptr);
  const std::int64_t now = SystemClock().Now().UnixMillis() / 1000;
  const std::time_t after = std::time(nullptr);
  EXPECT_GE(now, before - 1);  // time() may tick a moment after the precise clock
  EXPECT_LE(now, after);
}

TEST(ClockTest, AnOffsetMovesTheWallTimeOnly) {
  const SystemClock clock(kDay * -30);
  const Clock::Ticks before = std::chrono::steady_clock::now();
  EXPECT_LT(clock.Now(), SystemClock().Now() - kDay * 29);
  const Clock::Ticks now = clock.Steady();
  EXPECT_GE(now, before);
  EXPECT_LE(now, std::chrono::steady_clock::now());
}

TEST(ClockTest, ASleepLastsAtLeastUntilItsEnd) {
  SystemClock clock;
  const Clock::Ticks until = clock.Steady() + std::chrono::milliseconds(20);
  EXPECT_TRUE(clock.SleepUntil(until, {}));
  EXPECT_GE(clock.Steady(), until);
  EXPECT_TRUE(clock.SleepUntil(until, {}));  // it is past: at once
}

TEST(ClockTest, AStopEndsASleepThatWouldLastForDays) {
  SystemClock clock;
  std::stop_source stop;
  std::thread stopper([&] { stop.request_stop(); });
  EXPECT_FALSE(clock.SleepFor(std::chrono::hours(72), stop.get_token()));
  stopper.join();
  EXPECT_FALSE(clock.SleepFor(std::chrono::hours(72), stop.get_token()));
}

}  // namespace
}  // namespace picket
