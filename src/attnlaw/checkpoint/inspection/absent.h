#pragma once
/// A figure that does not exist for a head, or is only made on request.

#include <limits>

namespace attnlaw::checkpoint {

inline constexpr double kAbsent = std::numeric_limits<double>::quiet_NaN();

}  // namespace attnlaw::checkpoint
