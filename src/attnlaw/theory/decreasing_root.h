#pragma once
/// Roots by brackets.

#include <boost/math/tools/roots.hpp>
#include <cstdint>

namespace attnlaw::theory {

/// Root of a decreasing function between points where it is > 0 and < 0.
template <class Function>
double decreasing_root(const Function& function, double low, double high) {
  const double at_low = function(low), at_high = function(high);
  if (!(at_low > 0)) return low;
  if (!(at_high < 0)) return high;
  constexpr int kBits = 44;
  std::uintmax_t iterations = 100;
  const auto [left, right] = boost::math::tools::toms748_solve(
      function, low, high, at_low, at_high, boost::math::tools::eps_tolerance<double>(kBits), iterations);
  return 0.5 * (left + right);
}

}  // namespace attnlaw::theory
