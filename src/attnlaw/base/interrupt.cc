#include "attnlaw/base/interrupt.h"

namespace attnlaw::base {
namespace {

thread_local const std::atomic<bool>* flag_of_thread = nullptr;

}  // namespace

const std::atomic<bool>* interrupt_flag() { return flag_of_thread; }

InterruptScope::InterruptScope(const std::atomic<bool>* flag) : before_(flag_of_thread) { flag_of_thread = flag; }
InterruptScope::~InterruptScope() { flag_of_thread = before_; }

void check_interrupt() {
  if (flag_of_thread && flag_of_thread->load(std::memory_order_relaxed)) throw Interrupted();
}

}  // namespace attnlaw::base
