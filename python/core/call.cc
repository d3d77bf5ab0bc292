#include "call.h"

#include <chrono>
#include <condition_variable>
#include <exception>
#include <memory>
#include <mutex>
#include <optional>

#include "attnlaw/base/interrupt.h"
#include "attnlaw/base/thread.h"
#include "blas_threads.h"

namespace attnlaw::python {
namespace {

namespace nb = nanobind;

/// How often the waiting thread asks Python whether a signal has come: a person does not feel it, nor does the
/// processor.
constexpr std::chrono::milliseconds kBetweenSignals{50};

/// A body on a thread of its own. That thread is joined before this ends.
class Call {
 public:
  explicit Call(const std::function<void()>& body) {
    const base::InterruptScope scope(&interrupted_);
    thread_ = base::start_thread([this, &body] {
      try {
        body();
      } catch (...) {
        failure_ = std::current_exception();
      }
      const std::lock_guard lock(mutex_);
      done_ = true;
      changed_.notify_one();
    });
  }

  /// Waits without the GIL, and takes it only to ask for signals.
  void wait() {
    const nb::gil_scoped_release release;
    std::unique_lock lock(mutex_);
    while (!changed_.wait_for(lock, kBetweenSignals, [this] { return done_; })) {
      if (interrupted_) continue;
      lock.unlock();
      ask_for_signals();
      lock.lock();
    }
  }

  void rethrow() {
    if (signal_) throw *signal_;
    if (failure_) std::rethrow_exception(failure_);
  }

 private:
  void ask_for_signals() {
    const nb::gil_scoped_acquire acquire;
    if (PyErr_CheckSignals() == 0) return;
    signal_.emplace();
    interrupted_ = true;
  }

  const BlasThreads blas_threads_;  ///< first: set back when nothing runs any longer
  std::atomic<bool> interrupted_ = false;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool done_ = false;
  std::exception_ptr failure_;
  std::optional<nb::python_error> signal_;
  std::jthread thread_;  ///< last: joined first
};

}  // namespace

void run_interruptibly(const std::function<void()>& body) {
  Call call(body);
  call.wait();
  call.rethrow();
}

std::shared_ptr<nb::object> shared(nb::object object) {
  // The last copy drops the object, which takes the GIL.
  return {new nb::object(std::move(object)), [](nb::object* held) {
            const nb::gil_scoped_acquire acquire;
            delete held;
          }};
}

std::function<void(const std::string&, int, int)> progress_to(nb::object callback) {
  if (callback.is_none()) return {};
  return [function = shared(std::move(callback))](const std::string& label, int done, int total) {
    const nb::gil_scoped_acquire acquire;
    (*function)(label.c_str(), done, total);
  };
}

}  // namespace attnlaw::python
