#pragma once
/// Converts the signed indices of Eigen to the unsigned sizes of the standard library.

#include <cstddef>

namespace attnlaw::base {

inline std::size_t size(std::ptrdiff_t i) { return static_cast<std::size_t>(i); }

}  // namespace attnlaw::base
