#include "storage/crash_points.h"

#ifdef PICKET_CRASH_POINTS

#include <atomic>
#include <csignal>
#include <cstdlib>

namespace picket::storage {
namespace {

std::atomic<long> passed = 0;

}  // namespace

void CrashPoint() {
  // Read each time: a test sets it in a forked child.
  const char* text = std::getenv("PICKET_CRASH_AT");
  const long at = text == nullptr ? 0 : std::strtol(text, nullptr, 10);
  if (++passed == at) std::raise(SIGKILL);
}

long CrashPointsPassed() { return passed; }

}  // namespace picket::storage

#endif
