#include "attnlaw/theory/channel/point_rule.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace attnlaw::theory {

using std::numbers::pi;

double grid_size(std::size_t coordinates, const GridRule& rule) {
  const double taus = 2 * rule.radius / rule.label_step;
  const double rhos = rule.hermite > 0 ? rule.hermite : 2 * rule.radius / rule.noise_step;
  // A disc fills π/4 of its square, a ball in four dimensions π²/32 of its cube.
  const double disc = coordinates == 1 ? (rule.hermite > 0 ? 1 : pi / 4) : (rule.hermite > 0 ? pi / 4 : pi * pi / 32);
  const double pairs = std::pow((rule.even ? 0.5 : 1) * taus * rhos, static_cast<double>(coordinates));
  return (rule.interleaved ? 2 : 1) * disc * pairs;
}

double trapezoidal_step(double strip, double digits) {
  const double normal = std::sqrt(2 * pi * pi / digits);
  const double pole = 2 * pi * strip / (digits + 0.5 * strip * strip);
  // A pole farther than 2π/h costs less than the normal law itself.
  return strip < 2 * pi / normal ? std::min(pole, normal) : normal;
}

double trapezoidal_radius(double digits) {
  // Beyond it the law leaves e^−(digits + 4) in a plane: losses are up to fifty times their mean there.
  constexpr double kRareLosses = 4, kMargin = 0.4;
  return std::sqrt(2 * (digits + kRareLosses)) + kMargin;
}

}  // namespace attnlaw::theory
