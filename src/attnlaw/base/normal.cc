#include "attnlaw/base/normal.h"

#include <boost/math/special_functions/gamma.hpp>
#include <cmath>
#include <numbers>
#include <vector>

namespace attnlaw::base {

double normal_density(double x) { return std::exp(-0.5 * x * x) / std::sqrt(2 * std::numbers::pi); }

double normal_cdf(double x) { return 0.5 * std::erfc(-x / std::numbers::sqrt2); }

double chi_square_at(double degrees, double normal) {
  using Policy = boost::math::policies::policy<boost::math::policies::promote_double<false>>;
  const double upper = normal_cdf(-normal), lower = normal_cdf(normal);
  if (degrees == 2) return -2 * (upper < 0.5 ? std::log(upper) : std::log1p(-lower));
  return 2 * (upper < 0.5 ? boost::math::gamma_q_inv(0.5 * degrees, upper, Policy())
                          : boost::math::gamma_p_inv(0.5 * degrees, lower, Policy()));
}

GaussNodes normal_nodes(int count) {
  const std::vector<double> diagonal(static_cast<std::size_t>(count));
  std::vector<double> off;
  for (int k = 1; k < count; ++k) off.push_back(std::sqrt(k));
  return gauss_nodes(diagonal, off);
}

}  // namespace attnlaw::base
