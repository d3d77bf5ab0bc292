#include "attnlaw/base/interrupted_work.h"

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <stop_token>

namespace attnlaw::base {
namespace {

constexpr std::chrono::milliseconds kGrace{500}, kGraceLook{20};

/// Looks at the flag of others, and sets `late` so much later.
void set_late(const std::stop_token& stop, const std::atomic<bool>& flag, std::atomic<bool>& late) {
  std::mutex mutex;
  std::condition_variable_any stopped;
  std::unique_lock lock(mutex);
  const auto wait = [&](std::chrono::milliseconds time) { stopped.wait_for(lock, stop, time, [] { return false; }); };
  while (!flag && !stop.stop_requested()) wait(kGraceLook);
  wait(kGrace);
  late = true;
}

}  // namespace

InterruptGrace::InterruptGrace() {
  const std::atomic<bool>* const flag = interrupt_flag();
  if (!flag) return;
  clock_ = std::jthread([this, flag](const std::stop_token& stop) { set_late(stop, *flag, late_); });
  scope_.emplace(&late_);
}

}  // namespace attnlaw::base
