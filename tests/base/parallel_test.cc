#include "attnlaw/base/parallel.h"

#include <gtest/gtest.h>

#include <atomic>
#include <numeric>
#include <stdexcept>
#include <vector>

namespace attnlaw::base {
namespace {

TEST(ParallelFor, CallsEveryItemOnce) {
  for (const int threads : {0, 1, 2, 3, 8, 100}) {
    std::vector<int> calls(57, 0);
    parallel_for(calls.size(), threads, [&](std::size_t i) { ++calls[i]; });
    EXPECT_EQ(calls, std::vector<int>(57, 1)) << threads << " threads";
  }
}

TEST(ParallelFor, DoesNothingForNoItems) {
  parallel_for(0, 4, [](std::size_t) { FAIL(); });
}

TEST(ParallelFor, RethrowsTheExceptionOfAnItemAndSkipsTheRest) {
  for (const int threads : {1, 2, 4}) {
    std::atomic<int> calls{0};
    const auto body = [&](std::size_t i) {
      ++calls;
      if (i == 3) throw std::out_of_range("item 3");
    };
    EXPECT_THROW(parallel_for(100'000, threads, body), std::out_of_range);
    EXPECT_LT(calls.load(), 100'000);
  }
}

TEST(ParallelFor, ReportsEveryItemOnceInOrder) {
  for (const int threads : {1, 2, 4}) {
    std::vector<int> reports;
    parallel_for(
        50, threads, [](std::size_t) {},
        [&](int done, int count) {
          EXPECT_EQ(count, 50);
          reports.push_back(done);
        });
    std::vector<int> expected(50);
    std::iota(expected.begin(), expected.end(), 1);
    EXPECT_EQ(reports, expected);
  }
}

TEST(ParallelFor, MayBeNested) {
  std::vector<int> sums(6, 0);
  parallel_for(sums.size(), 3, [&](std::size_t i) {
    std::vector<int> inner(10, 0);
    parallel_for(inner.size(), 2, [&](std::size_t j) { inner[j] = static_cast<int>(i * j); });
    sums[i] = std::accumulate(inner.begin(), inner.end(), 0);
  });
  for (std::size_t i = 0; i < sums.size(); ++i) EXPECT_EQ(sums[i], static_cast<int>(45 * i));
}

TEST(AvailableThreads, IsAtLeastOne) { EXPECT_GE(available_threads(), 1); }

}  // namespace
}  // namespace attnlaw::base
