#pragma once

#include <chrono>
#include <stop_token>

#include "base/time.h"

namespace picket {

// The one way to know the time and to wait. Thread-safe.
class Clock {
 public:
  using Ticks = std::chrono::steady_clock::time_point;

  virtual ~Clock() = default;
  // Wall time, for data.
  [[nodiscard]] virtual Instant Now() const = 0;
  // Monotonic time, for waits and time limits.
  [[nodiscard]] virtual Ticks Steady() const = 0;
  // Returns false at once when the stop is asked for first.
  virtual bool SleepUntil(Ticks until, std::stop_token stop) = 0;
  bool SleepFor(std::chrono::milliseconds span, std::stop_token stop) {
    return SleepUntil(Steady() + span, std::move(stop));
  }
};

// The machine's clock; `offset` moves only the wall time (`once --now T`).
class SystemClock final : public Clock {
 public:
  explicit SystemClock(Timespan offset = {}) : offset_(offset) {}
  [[nodiscard]] Instant Now() const override;
  [[nodiscard]] Ticks Steady() const override;
  bool SleepUntil(Ticks until, std::stop_token stop) override;

 private:
  const Timespan offset_;
};

}  // namespace picket
