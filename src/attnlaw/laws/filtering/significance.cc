#include "attnlaw/laws/filtering/significance.h"

#include <boost/math/special_functions/gamma.hpp>
#include <cmath>

namespace attnlaw::laws {
namespace {

/// TW₁ is taken for the shifted Gamma law that has its moments (mean −1.2065, variance 1.6078, skewness 0.2935).
constexpr double kShape = 46.446, kScale = 0.186054, kShift = 9.84801;

double fluctuation(const LofiEdge& edge, std::size_t p) {
  return std::pow(edge.density * static_cast<double>(p), -2.0 / 3);
}

}  // namespace

double tracy_widom_tail(double s) { return s <= -kShift ? 1 : boost::math::gamma_q(kShape, (s + kShift) / kScale); }

double tracy_widom_quantile(double tail) { return kScale * boost::math::gamma_q_inv(kShape, tail) - kShift; }

double outlier_p_value(const LofiEdge& edge, double eigenvalue, std::size_t p) {
  if (edge.density == 0) return eigenvalue > edge.eigenvalue ? 0 : 1;
  return tracy_widom_tail((eigenvalue - edge.eigenvalue) / fluctuation(edge, p));
}

double outlier_threshold(const LofiEdge& edge, double significance, std::size_t p) {
  if (edge.density == 0) return edge.eigenvalue;
  return edge.eigenvalue + tracy_widom_quantile(significance) * fluctuation(edge, p);
}

double chi_squared_tail(double statistic, double degrees) { return boost::math::gamma_q(degrees / 2, statistic / 2); }

}  // namespace attnlaw::laws
