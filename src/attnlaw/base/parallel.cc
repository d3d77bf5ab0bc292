#include "attnlaw/base/parallel.h"

#include <sched.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

#include "attnlaw/base/control_group.h"
#include "attnlaw/base/interrupt.h"
#include "attnlaw/base/thread.h"

namespace attnlaw::base {

namespace {

/// Returns the number of processors that this process may run on.
int processors() {
  cpu_set_t allowed;
  CPU_ZERO(&allowed);
  if (sched_getaffinity(0, sizeof(allowed), &allowed) == 0) return CPU_COUNT(&allowed);
  return static_cast<int>(std::thread::hardware_concurrency());
}

}  // namespace

int available_threads() {
  const double quota = control_group_processors("/sys/fs/cgroup", control_groups());
  return std::max(1, static_cast<int>(std::min<double>(processors(), std::ceil(quota))));
}

int thread_count(int threads) { return threads > 0 ? threads : available_threads(); }

void parallel_for(std::size_t count, int threads, const std::function<void(std::size_t)>& body,
                  const std::function<void(int, int)>& progress) {
  const std::size_t wanted = static_cast<std::size_t>(thread_count(threads));
  std::atomic<std::size_t> next{0};
  std::exception_ptr failure;
  std::mutex failure_mutex, progress_mutex;
  int done = 0;
  const auto work = [&] {
    for (std::size_t i = next.fetch_add(1); i < count; i = next.fetch_add(1)) {
      try {
        check_interrupt();
        body(i);
        if (!progress) continue;
        const std::lock_guard lock(progress_mutex);
        progress(++done, static_cast<int>(count));
      } catch (...) {
        const std::lock_guard lock(failure_mutex);
        if (!failure) failure = std::current_exception();
        next.store(count);
      }
    }
  };
  {
    std::vector<std::jthread> helpers;
    try {
      for (std::size_t t = 1; t < std::min(wanted, count); ++t) helpers.push_back(start_thread(work));
    } catch (...) {
      // Those that run are joined, but take no more.
      next.store(count);
      throw;
    }
    work();
  }
  if (failure) std::rethrow_exception(failure);
}

}  // namespace attnlaw::base
