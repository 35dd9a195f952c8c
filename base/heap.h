#pragma once

namespace picket {

// The C library's heap keeps what a burst needed. An agent that sleeps most of its life, beside
// others on one machine, gives it back. Both do nothing where the C library has no such knobs.

// Once, before other threads: large blocks go straight back when they are freed, and threads share
// few arenas. (glibc would raise the bound for "large" with every page that it sees freed.)
void KeepHeapSmall();
// After a burst. Takes some milliseconds. Thread-safe.
void ReturnFreeHeap();

}  // namespace picket
