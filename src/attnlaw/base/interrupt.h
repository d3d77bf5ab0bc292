#pragma once
/// Ends a computation that somebody waits for no longer.
///
/// A thread begins an InterruptScope with a flag; the loops of everything that takes long look at it by
/// check_interrupt(), also in threads that start_thread begins inside the scope. Without a scope nothing is
/// interrupted.

#include <atomic>

namespace attnlaw::base {

/// Is thrown where a computation ends because its flag was set. Not an std::exception: nobody takes it for a failure of
/// what was computed.
struct Interrupted {};

/// The flag of the calling thread; null if there is none.
const std::atomic<bool>* interrupt_flag();

/// Makes `flag`, which must outlive the scope, the flag of the calling thread.
class InterruptScope {
 public:
  explicit InterruptScope(const std::atomic<bool>* flag);
  ~InterruptScope();
  InterruptScope(const InterruptScope&) = delete;
  InterruptScope& operator=(const InterruptScope&) = delete;

 private:
  const std::atomic<bool>* before_;
};

/// Throws Interrupted if the flag of the calling thread is set. Costs a few nanoseconds.
void check_interrupt();

}  // namespace attnlaw::base
