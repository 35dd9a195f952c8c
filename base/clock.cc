#include "base/clock.h"

#include <condition_variable>
#include <mutex>

namespace picket {

Instant SystemClock::Now() const {
  const auto since_epoch = std::chrono::system_clock::now().time_since_epoch();
  const auto ns = std::chrono::duration_cast<std::chrono::nanoseconds>(since_epoch).count();
  return Instant{Instant::kUnixEpochTicks + ns / 100} + offset_;
}

Clock::Ticks SystemClock::Steady() const { return std::chrono::steady_clock::now(); }

bool SystemClock::SleepUntil(Ticks until, std::stop_token stop) {
  std::mutex mutex;
  std::condition_variable_any woken;
  std::unique_lock lock(mutex);
  woken.wait_until(lock, stop, until, [] { return false; });
  return !stop.stop_requested();
}

}  // namespace picket
