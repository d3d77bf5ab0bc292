#pragma once
/// Starts threads, with a message where the system refuses one.

#include <system_error>
#include <thread>
#include <utility>

namespace attnlaw::base {

/// Starts a thread that calls body(). Throws std::system_error that says what to do if the system refuses it.
template <class Body>
std::jthread start_thread(Body&& body) try {
  return std::jthread(std::forward<Body>(body));
} catch (const std::system_error& error) {
  throw std::system_error(error.code(), "a thread cannot be started, choose fewer --threads");
}

}  // namespace attnlaw::base
