#include "attnlaw/base/apart.h"

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
  bool done = false;
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
    while (!ended.wait_for(lock, kLook, [this] { return done; }))
      if (*interrupt_flag()) return false;
    return true;
  }
};

/// Keeps threads that nobody waits for any longer; the process waits for them when it ends, as the libraries that they
/// are in would otherwise be taken from under them.
void leave_alone(std::jthread thread) {
  static std::mutex mutex;
  static std::vector<std::jthread> left;
  const std::lock_guard lock(mutex);
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
    leave_alone(std::move(thread));
    throw Interrupted();
  }
  thread.join();
  if (call->failure) std::rethrow_exception(call->failure);
}

}  // namespace attnlaw::base
