#pragma once

#include <atomic>
#include <cstdint>

#include "base/clock.h"

namespace picket::fault {

// A time that several processes see: in memory that they share since their fork. Sleeping moves it,
// so that days play in seconds. `Now` is the machine's clock, which may be wrong; `True` is
// Graph's.
class SharedClock final : public Clock {
 public:
  explicit SharedClock(Instant start);
  ~SharedClock() override;
  SharedClock(const SharedClock&) = delete;
  SharedClock& operator=(const SharedClock&) = delete;

  [[nodiscard]] Instant Now() const override;
  [[nodiscard]] Instant True() const;
  [[nodiscard]] Ticks Steady() const override;
  bool SleepUntil(Ticks until, std::stop_token stop) override;
  void Pass(Timespan span);
  // How far the machine's clock is off from now on.
  void SetOffset(Timespan offset);

 private:
  struct Shared {
    std::atomic<std::int64_t> passed, offset;
  };
  const Instant start_;
  Shared* const shared_;
};

}  // namespace picket::fault
