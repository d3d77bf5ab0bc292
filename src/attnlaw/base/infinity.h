#pragma once
/// The numbers that are none, under short names.

#include <limits>

namespace attnlaw::base {

inline constexpr double kInfinity = std::numeric_limits<double>::infinity();
inline constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

}  // namespace attnlaw::base
