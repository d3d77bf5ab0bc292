#include "attnlaw/base/freed_memory.h"

#if __has_include(<malloc.h>)
#include <malloc.h>
#endif

namespace attnlaw::base {

void keep_freed_memory() {
#ifdef __GLIBC__
  // By itself the library gives back more than twice the largest block that was ever freed: too little for factors just
  // below its first limit of 128 kB. A limit for giving back alone would fix that of mapped blocks at its first value.
  constexpr int kMapped = 8 << 20, kKept = 16 << 20;
  mallopt(M_MMAP_THRESHOLD, kMapped);
  mallopt(M_TRIM_THRESHOLD, kKept);
#endif
}

}  // namespace attnlaw::base
