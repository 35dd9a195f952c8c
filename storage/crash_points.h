#pragma once

namespace picket::storage {

// Passed before every statement that writes, and before and after every commit. In builds with
// tests (PICKET_CRASH_POINTS) the process kills itself with SIGKILL at the N-th pass, so that a
// test can try every point instead of hoping. Elsewhere it is empty.
#ifdef PICKET_CRASH_POINTS
void CrashPoint();
// The process dies at the nth pass from now; 0: never. At the start of a process n is the
// environment's PICKET_CRASH_AT.
void CrashAt(long nth);
// The nth statement that writes, from now, fails as if the disk were full, and its transaction
// stays open: so SQLite ends some of such statements, and others with the transaction. 0: none.
void FailWriteAt(long nth);
// Passed by each statement that writes; true: it is the one.
bool WriteFails();
// Whether it came.
bool WriteHasFailed();
// How many were passed since the start or the last CrashAt, to know when all were tried.
long CrashPointsPassed();
#else
inline void CrashPoint() {}
constexpr bool WriteFails() { return false; }
#endif

}  // namespace picket::storage
