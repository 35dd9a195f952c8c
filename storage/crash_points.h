#pragma once

namespace picket::storage {

// Passed before every statement that writes and before and after every commit. In builds with tests
// (PICKET_CRASH_POINTS) the process kills itself with SIGKILL at the N-th pass, N being the
// environment's PICKET_CRASH_AT, so that a test can try every point instead of hoping. Elsewhere it
// is empty.
#ifdef PICKET_CRASH_POINTS
void CrashPoint();
// How many were passed, to know when all were tried.
long CrashPointsPassed();
#else
inline void CrashPoint() {}
#endif

}  // namespace picket::storage
