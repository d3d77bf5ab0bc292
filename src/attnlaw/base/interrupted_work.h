#pragma once
/// What is left of work that is interrupted: the items that have ended, and some time to make something of them.

#include <atomic>
#include <functional>
#include <optional>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include "attnlaw/base/instances.h"
#include "attnlaw/base/interrupt.h"

namespace attnlaw::base {

/// Returns run(0), …, run(count − 1), each computed on one of at most `threads` threads (0: all available); those that
/// had not ended when the calling thread was interrupted are absent. Other exceptions and progress are those of
/// run_instances.
template <class Run>
auto run_until_interrupted(std::size_t count, int threads, const Run& run,
                           const std::function<void(int done, int total)>& progress = {}) {
  std::vector<std::optional<std::invoke_result_t<Run, std::size_t>>> items(count);
  // An interruption takes away what run_instances returns, but not the items.
  const auto keep = [&](std::size_t i) {
    items[i] = run(i);
    return i;
  };
  try {
    run_instances(static_cast<int>(count), threads, keep, progress);
  } catch (const Interrupted&) {
    // What has ended is the result.
  }
  return items;
}

/// Those that are there, in their order.
template <class Item>
std::vector<Item> those_that_ended(std::vector<std::optional<Item>> items) {
  std::vector<Item> ended;
  for (std::optional<Item>& item : items)
    if (item) ended.push_back(std::move(*item));
  return ended;
}

/// While this lives the calling thread, and those that it starts, are interrupted half a second later than their flag
/// says: what ends within that is worth waiting for. Without a flag it does nothing.
class InterruptGrace {
 public:
  InterruptGrace();
  InterruptGrace(const InterruptGrace&) = delete;
  InterruptGrace& operator=(const InterruptGrace&) = delete;

 private:
  std::atomic<bool> late_ = false;
  std::jthread clock_;  ///< sets it; joined before it goes
  std::optional<InterruptScope> scope_;
};

}  // namespace attnlaw::base
