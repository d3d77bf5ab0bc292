#include "attnlaw/base/apart.h"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "attnlaw/base/interrupt.h"
#include "attnlaw/base/thread.h"

namespace attnlaw::base {
namespace {

/// What the thread of a call and the one that waits for it share.
struct ApartCall {
  std::mutex mutex;
  std::condition_variable ended;
  std::atomic<bool> done = false;
  std::exception_ptr failure;

  void run(const std::function<void()>& body) {
    std::exception_ptr thrown;
    try {
      body();
    } catch (...) {
      thrown = std::current_exception();
    }
    const std::lock_guard lock(mutex);
    failure = thrown;
    done = true;
    ended.notify_one();
  }

  /// Returns false if somebody interrupts the calling thread first.
  bool wait() {
    constexpr std::chrono::milliseconds kLook{50};
    std::unique_lock lock(mutex);
    while (!ended.wait_for(lock, kLook, [this] { return done.load(); }))
      if (*interrupt_flag()) return false;
    return true;
  }
};

/// A thread that nobody waits for any longer.
struct LeftAlone {
  std::shared_ptr<const ApartCall> call;
  std::jthread thread;
};

/// Keeps a thread until it has ended; the process waits for those that remain when it ends itself, as the libraries
/// that they are in would otherwise be taken from under them.
void leave_alone(LeftAlone thread) {
  static std::mutex mutex;
  static std::vector<LeftAlone> left;
  const std::lock_guard lock(mutex);
  std::erase_if(left, [](const LeftAlone& earlier) { return earlier.call->done.load(); });
  left.push_back(std::move(thread));
}

}  // namespace

void call_apart(const std::function<void()>& body) {
  if (!interrupt_flag()) return body();
  check_interrupt();
  const auto call = std::make_shared<ApartCall>();
  std::jthread thread = start_thread([call, body] {
    const InterruptScope never(nullptr);
    call->run(body);
  });
  if (!call->wait()) {
    leave_alone({call, std::move(thread)});
    throw Interrupted();
  }
  thread.join();
  if (call->failure) std::rethrow_exception(call->failure);
}

}  // namespace attnlaw::base
