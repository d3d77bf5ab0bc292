#pragma once
/// Independent work items over threads.

#include <cstddef>
#include <functional>

namespace attnlaw::base {

/// Number of threads that `--threads 0` ("all") stands for: the processors this process may run on, at least 1.
int available_threads();

/// What a number of threads stands for: available_threads() for 0.
int thread_count(int threads);

/// Calls body(i) for i in [0, count) on at most `threads` threads (0: all available). Items are handed out in order,
/// each exactly once, so a body that writes only to slot i gives the same bits for any number of threads. The first
/// exception thrown by a body is rethrown after all running items have ended; items not yet started are then skipped.
/// progress(done, count) is called after each item, one call at a time.
void parallel_for(std::size_t count, int threads, const std::function<void(std::size_t)>& body,
                  const std::function<void(int, int)>& progress = {});

}  // namespace attnlaw::base
