#pragma once
/// What a piece of code asks the allocator for.

#include <cstddef>

namespace attnlaw::test {

/// Counts what its thread allocates while it lives, by `new`, malloc or any library; nothing under a sanitizer
/// (sanitized.h). One at a time in a thread.
class Allocations {
 public:
  Allocations();
  Allocations(const Allocations&) = delete;
  Allocations& operator=(const Allocations&) = delete;
  ~Allocations();

  /// The largest single one, in bytes.
  std::size_t largest() const;
  /// All of them together, whether they were freed or not.
  std::size_t total() const;
};

/// Fails unless a file of so many bytes was refused without memory beyond it: no allocation is larger than the file, or
/// than what layouts and messages take of any file, and all together are few times that.
void expect_within(std::size_t file_bytes, const Allocations& allocations);

}  // namespace attnlaw::test
