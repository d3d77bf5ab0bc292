#pragma once

namespace attnlaw::test {

/// A sanitizer reserves terabytes of addresses and has an allocator of its own: tests of limits and failures of memory
/// say nothing under it.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool kSanitized = true;
#else
inline constexpr bool kSanitized = false;
#endif

}  // namespace attnlaw::test
