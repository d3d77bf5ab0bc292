#include "checkpoint/allocations.h"

#include <gtest/gtest.h>

#include <Eigen/Core>
#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <memory>
#include <vector>

#include "sanitized.h"

namespace {

struct Count {
  bool counting = false;
  std::size_t largest = 0, total = 0;
};
// Constant initialisation: it is there before any allocation of a thread.
constinit thread_local Count count;

[[maybe_unused]] void note(std::size_t size) {
  if (!count.counting) return;
  count.largest = std::max(count.largest, size);
  count.total += size;
}

}  // namespace

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
// The functions of the C library under names of their own; `new` stands on malloc.
extern "C" {
void* __libc_malloc(std::size_t);
void* __libc_calloc(std::size_t, std::size_t);
void* __libc_realloc(void*, std::size_t);
void* __libc_memalign(std::size_t, std::size_t);

void* malloc(std::size_t size) noexcept {
  note(size);
  return __libc_malloc(size);
}
void* calloc(std::size_t number, std::size_t size) noexcept {
  note(number * size);
  return __libc_calloc(number, size);
}
void* realloc(void* old, std::size_t size) noexcept {
  note(size);
  return __libc_realloc(old, size);
}
void* aligned_alloc(std::size_t alignment, std::size_t size) noexcept {
  note(size);
  return __libc_memalign(alignment, size);
}
int posix_memalign(void** result, std::size_t alignment, std::size_t size) noexcept {
  note(size);
  *result = __libc_memalign(alignment, size);
  return *result != nullptr ? 0 : ENOMEM;
}
}
#endif

namespace attnlaw::test {

Allocations::Allocations() { count = {.counting = true}; }
Allocations::~Allocations() { count.counting = false; }
std::size_t Allocations::largest() const { return count.largest; }
std::size_t Allocations::total() const { return count.total; }

void expect_within(std::size_t file_bytes, const Allocations& allocations) {
  // Of what does not depend on the file the window of inflate is the largest.
  constexpr std::size_t kAnyFile = 32 << 10;
  EXPECT_LE(allocations.largest(), std::max(file_bytes, kAnyFile));
  EXPECT_LE(allocations.total(), 4 * (file_bytes + kAnyFile));
}

namespace {

TEST(Allocations, OfEveryKindAreCounted) {
  if (kSanitized) GTEST_SKIP() << "a sanitizer has an allocator of its own";
  const Allocations allocations;
  std::vector<double> numbers(1000);
  EXPECT_EQ(allocations.largest(), 8000u);
  const Eigen::MatrixXd matrix(50, 50);
  EXPECT_GE(allocations.largest(), 20000u);
  EXPECT_LT(allocations.largest(), 20100u);
  const std::unique_ptr<void, decltype(&std::free)> zeros(std::calloc(300, 100), &std::free);
  EXPECT_EQ(allocations.largest(), 30000u);
  const std::unique_ptr<void, decltype(&std::free)> grown(std::realloc(std::malloc(10), 40000), &std::free);
  EXPECT_EQ(allocations.largest(), 40000u);
  const std::unique_ptr<void, decltype(&std::free)> aligned(std::aligned_alloc(64, 64000), &std::free);
  EXPECT_EQ(allocations.largest(), 64000u);
  EXPECT_GE(allocations.total(), 8000u + 20000u + 30000u + 40000u + 64000u);
}

}  // namespace
}  // namespace attnlaw::test
