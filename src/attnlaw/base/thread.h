#pragma once
/// Starts threads, with a message where the system refuses one.

#include <system_error>
#include <thread>
#include <utility>

#include "attnlaw/base/interrupt.h"

namespace attnlaw::base {

/// Starts a thread that calls body() and is interrupted with the calling one. Throws std::system_error that says what
/// to do if the system refuses it.
template <class Body>
std::jthread start_thread(Body&& body) try {
  return std::jthread([flag = interrupt_flag(), body = std::forward<Body>(body)]() mutable {
    const InterruptScope scope(flag);
    body();
  });
} catch (const std::system_error& error) {
  throw std::system_error(error.code(), "a thread cannot be started, choose fewer --threads");
}

}  // namespace attnlaw::base
