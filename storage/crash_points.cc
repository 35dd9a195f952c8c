#include "storage/crash_points.h"

#ifdef PICKET_CRASH_POINTS

#include <atomic>
#include <csignal>
#include <cstdlib>

namespace picket::storage {
namespace {

long FromEnvironment() {
  const char* text = std::getenv("PICKET_CRASH_AT");
  return text == nullptr ? 0 : std::strtol(text, nullptr, 10);
}

std::atomic<long> crash_at = FromEnvironment();
std::atomic<long> passed = 0;
std::atomic<long> writes_until_failure = 0;
std::atomic<bool> write_has_failed = false;

}  // namespace

void CrashPoint() {
  if (++passed == crash_at) (void)std::raise(SIGKILL);
}

void CrashAt(long nth) {
  passed = 0;
  crash_at = nth;
}

void FailWriteAt(long nth) {
  write_has_failed = false;
  writes_until_failure = nth;
}

bool WriteFails() {
  if (writes_until_failure <= 0 || --writes_until_failure != 0) return false;
  write_has_failed = true;
  return true;
}

bool WriteHasFailed() { return write_has_failed; }

long CrashPointsPassed() { return passed; }

}  // namespace picket::storage

#endif
