#include "tests/fault/shared_clock.h"

#include <sys/mman.h>

#include <new>

namespace picket::fault {
namespace {

void* SharedMemory(std::size_t bytes) {
  void* memory = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  PK_CHECK(memory != MAP_FAILED, "shared memory for the clock");
  return memory;
}

}  // namespace

SharedClock::SharedClock(Instant start)
    : start_(start), shared_(new (SharedMemory(sizeof(Shared))) Shared{}) {}

SharedClock::~SharedClock() { ::munmap(shared_, sizeof(Shared)); }

Instant SharedClock::Now() const { return True() + Timespan{shared_->offset}; }
Instant SharedClock::True() const { return start_ + Timespan{shared_->passed}; }

Clock::Ticks SharedClock::Steady() const {
  return Ticks{} + std::chrono::nanoseconds(shared_->passed * 100);
}

bool SharedClock::SleepUntil(Ticks until, std::stop_token stop) {
  if (stop.stop_requested()) return false;
  const std::int64_t target =
      std::chrono::duration_cast<std::chrono::nanoseconds>(until.time_since_epoch()).count() / 100;
  std::int64_t now = shared_->passed;
  while (now < target && !shared_->passed.compare_exchange_weak(now, target)) {
  }
  return true;
}

void SharedClock::Pass(Timespan span) { shared_->passed += span.ticks; }
void SharedClock::SetOffset(Timespan offset) { shared_->offset = offset.ticks; }

}  // namespace picket::fault
