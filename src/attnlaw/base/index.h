#pragma once
/// Converts between the signed indices of Eigen and the unsigned sizes of the standard library.

#include <cstddef>

namespace attnlaw::base {

inline std::size_t size(std::ptrdiff_t i) { return static_cast<std::size_t>(i); }
inline std::ptrdiff_t index(std::size_t i) { return static_cast<std::ptrdiff_t>(i); }

}  // namespace attnlaw::base
