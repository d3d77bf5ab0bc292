#pragma once
/// Spreads independent work items over threads.
///
/// ```cpp
/// #include <cstdio>
/// #include <numeric>
/// #include <vector>
///
/// #include "attnlaw/base/parallel.h"
/// #include "attnlaw/base/random.h"
///
/// // The mean of each of 100 blocks of N(0,1) numbers: the same bits on any number of threads.
/// std::vector<double> means(100);
/// attnlaw::base::parallel_for(means.size(), 0, [&](std::size_t block) {
///   std::vector<double> numbers(1000);
///   attnlaw::base::NormalStream(42, 0).fill(block * numbers.size(), numbers);
///   means[block] = std::accumulate(numbers.begin(), numbers.end(), 0.0) / 1000;
/// });
/// std::printf("first block %.3f, last block %.3f\n", means.front(), means.back());
/// ```

#include <cstddef>
#include <functional>

namespace attnlaw::base {

/// Returns the number of threads that `--threads 0` ("all") stands for: the processors this process may run on or, if
/// that is less, the quota of processor time of its control group, rounded up; at least 1.
int available_threads();

/// Returns `threads`, or available_threads() for 0.
int thread_count(int threads);

/// Calls body(i) for i in [0, count) on at most `threads` threads (0: all available). Items are handed out in order,
/// each exactly once, so a body that writes only to slot i gives the same bits for any number of threads. The first
/// exception thrown by a body is rethrown after all running items have ended; items not yet started are then skipped.
/// progress(done, count) is called after each item, one call at a time.
void parallel_for(std::size_t count, int threads, const std::function<void(std::size_t)>& body,
                  const std::function<void(int, int)>& progress = {});

}  // namespace attnlaw::base
