#pragma once
/// Refuses a bad argument with a formatted message.

#include <fmt/format.h>

#include <stdexcept>
#include <utility>

namespace attnlaw::base {

/// Throws std::invalid_argument. The message should name the argument, what is accepted and the value.
template <class... Arguments>
[[noreturn]] void reject(fmt::format_string<Arguments...> format, Arguments&&... arguments) {
  throw std::invalid_argument(fmt::format(format, std::forward<Arguments>(arguments)...));
}

}  // namespace attnlaw::base
