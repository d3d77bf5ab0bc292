#include "attnlaw/matrix_laws/nulls/symmetric_part.h"

#include <cmath>
#include <numbers>

#include "attnlaw/base/reject.h"
#include "attnlaw/matrix_laws/product_law.h"

namespace attnlaw::matrix_laws {

SymmetricPartLaw::SymmetricPartLaw(double beta) : beta_(beta), band_(product_bulk(2 * beta)) {
  if (!(beta > 0 && beta <= 1)) base::reject("the ratio m/d of a query-key map must lie in (0, 1], got {}", beta);
}

double SymmetricPartLaw::mass_above(double u) const {
  if (u < 0) return 1 - mass_above(-u);
  if (u >= band_.upper) return 0;
  if (u <= band_.lower) return std::min(beta_, 0.5);
  const Complex g = product_stieltjes(2 * beta_, u).value;
  return (g * u - std::log(g) + beta_ * std::log(1.0 - g * g)).imag() / std::numbers::pi;
}

double SymmetricPartLaw::edge_coefficient() const {
  // At the upper edge g² = t₋, in a form without cancellation.
  const double t = 1 / ((1 + beta_) + std::sqrt(beta_ * beta_ + 4 * beta_)), g = std::sqrt(t);
  return std::sqrt(2 / (2 / (t * g) + 4 * beta_ * g * (3 + t) / std::pow(1 - t, 3)));
}

double ring_mass(double beta, double r) {
  if (r * r >= beta) return 1;
  const double half = 1 - beta;
  return (-half + std::sqrt(half * half + 4 * r * r)) / (2 * beta);
}

}  // namespace attnlaw::matrix_laws
