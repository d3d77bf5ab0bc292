#include "attnlaw/matrix_laws/nulls/tied_factor.h"

#include <cmath>
#include <numbers>

namespace attnlaw::matrix_laws {

Interval tied_support(double beta) {
  const double root = std::sqrt(beta);
  return {(1 - root) * (1 - root), (1 + root) * (1 + root)};
}

double tied_mass_above(double beta, double x) {
  const Interval support = tied_support(beta);
  if (!(x > support.lower)) return 1;
  if (x >= support.upper) return 0;
  const double centre = 1 + beta - x;
  const Complex w = -Complex(centre, std::sqrt(std::max(0.0, 4 * beta - centre * centre))) / (2 * beta);
  return (w - (1 - beta) / beta * std::log(1.0 + beta * w) - std::log(w)).imag() / std::numbers::pi;
}

double tied_density(double beta, double x) {
  const Interval support = tied_support(beta);
  if (!(x > support.lower && x < support.upper)) return 0;
  return std::sqrt((support.upper - x) * (x - support.lower)) / (2 * std::numbers::pi * beta * x);
}

double tie_coefficient(double beta, double tau) { return tau / (1 + beta - beta * tau); }

}  // namespace attnlaw::matrix_laws
