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

}  // namespace

void CrashPoint() {
  if (++passed == crash_at) std::raise(SIGKILL);
}

void CrashAt(long nth) {
  passed = 0;
  crash_at = nth;
}

long CrashPointsPassed() { return passed; }

}  // namespace picket::storage

#endif
