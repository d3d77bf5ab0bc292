#include "attnlaw/base/normal.h"

#include <Eigen/Eigenvalues>
#include <boost/math/special_functions/gamma.hpp>
#include <cmath>
#include <numbers>

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

NormalNodes normal_nodes(int count) {
  const Eigen::VectorXd diagonal = Eigen::VectorXd::Zero(count);
  Eigen::VectorXd off(count - 1);
  for (int k = 1; k < count; ++k) off[k - 1] = std::sqrt(k);
  Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver;
  solver.computeFromTridiagonal(diagonal, off);
  NormalNodes nodes;
  for (int k = 0; k < count; ++k) {
    nodes.points.push_back(solver.eigenvalues()[k]);
    nodes.weights.push_back(std::pow(solver.eigenvectors()(0, k), 2));
  }
  return nodes;
}

}  // namespace attnlaw::base
