/// base/parallel.h without threads.

#include "attnlaw/base/parallel.h"

#include "attnlaw/base/interrupt.h"

namespace attnlaw::base {

int available_threads() { return 1; }

int thread_count(int /*threads*/) { return 1; }

void parallel_for(std::size_t count, int /*threads*/, const std::function<void(std::size_t)>& body,
                  const std::function<void(int, int)>& progress) {
  for (std::size_t i = 0; i < count; ++i) {
    check_interrupt();
    body(i);
    if (progress) progress(static_cast<int>(i + 1), static_cast<int>(count));
  }
}

}  // namespace attnlaw::base
