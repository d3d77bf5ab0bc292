#pragma once
/// The two scalar equations of in-context regression: of an effective regularisation, which has a bracket, and of a
/// function whose curvature has one sign.

#include <cmath>
#include <limits>

namespace attnlaw::laws {

/// A function with its slope.
struct Sloped {
  double value = 0, slope = 0;
};

/// Newton's method ends where rounding alone moves it, at the latest after so many steps.
inline constexpr double kRootRounding = 4 * std::numeric_limits<double>::epsilon();
inline constexpr int kMostRootSteps = 400;

/// Returns the root ξ of an increasing function in [low, high], low > 0, by Newton's method in log ξ from above,
/// halving the interval of log ξ where a step would leave it. The slope is that by log ξ.
template <class Function>
double effective_ridge(const Function& function, double low, double high) {
  double xi = high;
  for (int i = 0; i < kMostRootSteps && low < high; ++i) {
    const auto [value, slope] = function(xi);
    (value > 0 ? high : low) = xi;
    double next = xi * std::exp(-value / slope);
    if (!(next > low && next < high))
      next = std::abs(value) <= kRootRounding * slope ? xi : std::sqrt(low) * std::sqrt(high);
    const bool done = std::abs(next - xi) <= kRootRounding * xi;
    xi = next;
    if (done) break;
  }
  return xi;
}

/// Returns the root of a convex or concave function by Newton's method from a side from which its steps never pass the
/// root, unless by rounding: they end where one turns back.
template <class Function>
double one_sided_root(const Function& function, double start) {
  double x = start;
  for (int i = 0; i < kMostRootSteps; ++i) {
    const auto [value, slope] = function(x);
    const double step = -value / slope, next = x + step;
    const bool back = i > 0 && (step > 0) != (x > start);
    x = next;
    if (back || !(std::abs(step) > kRootRounding * std::abs(x))) break;
  }
  return x;
}

}  // namespace attnlaw::laws
