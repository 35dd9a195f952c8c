#include "base/heap.h"

#include <cstdlib>

#if defined(__GLIBC__)
#include <malloc.h>
#endif

namespace picket {

void KeepHeapSmall() {
#if defined(__GLIBC__)
  constexpr int kLarge = 256 << 10;
  (void)mallopt(M_MMAP_THRESHOLD, kLarge);
  (void)mallopt(M_TRIM_THRESHOLD, kLarge);
  (void)mallopt(M_ARENA_MAX, 2);
#endif
}

void ReturnFreeHeap() {
#if defined(__GLIBC__)
  (void)malloc_trim(0);
#endif
}

}  // namespace picket
