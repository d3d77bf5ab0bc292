#include "attnlaw/matrix_laws/nulls/tracy_widom.h"

#include <Eigen/Cholesky>
#include <boost/math/quadrature/gauss.hpp>
#include <boost/math/special_functions/airy.hpp>
#include <boost/math/tools/roots.hpp>
#include <cmath>
#include <cstdint>
#include <stdexcept>

namespace attnlaw::matrix_laws {
namespace {

constexpr int kNodes = 48;
/// The Airy function of this argument is below the rounding of the determinant.
constexpr double kReach = 16;
/// From here on the expansion of the determinant to second order is exact to its relative accuracy.
constexpr double kTail = 4;

using Kernel = Eigen::Matrix<double, kNodes, kNodes>;

/// Returns √(w_i w_j) Ai(x_i + x_j + s) on Gauss-Legendre nodes of (0, kReach + max(0, −s)).
Kernel airy_kernel(double s) {
  using Rule = boost::math::quadrature::gauss<double, kNodes>;
  const double half = 0.5 * (kReach + std::max(0.0, -s));
  Eigen::Array<double, kNodes, 1> x, root_weight;
  for (int i = 0; i < kNodes / 2; ++i) {
    const auto k = static_cast<std::size_t>(i);
    x[2 * i] = half * (1 + Rule::abscissa()[k]);
    x[2 * i + 1] = half * (1 - Rule::abscissa()[k]);
    root_weight[2 * i] = root_weight[2 * i + 1] = std::sqrt(half * Rule::weights()[k]);
  }
  // Beyond this sum of arguments the function is below the rounding of its value at the first node.
  const double most = 2 * half;
  Kernel kernel;
  for (int i = 0; i < kNodes; ++i)
    for (int j = 0; j <= i; ++j) {
      const double sum = x[i] + x[j];
      kernel(i, j) = kernel(j, i) = sum < most ? root_weight[i] * root_weight[j] * boost::math::airy_ai(sum + s) : 0;
    }
  return kernel;
}

}  // namespace

double tracy_widom_cdf(double s) {
  // The eigenvalues of the kernel lie below 1. Far to the left the largest is 1 to rounding, and the determinant 0.
  const Eigen::LLT<Kernel> factor(Kernel::Identity() - airy_kernel(s));
  if (factor.info() != Eigen::Success) return 0;
  const double root = factor.matrixLLT().diagonal().prod();
  return std::min(1.0, root * root);
}

double tracy_widom_tail(double s) {
  if (s <= kTail) return 1 - tracy_widom_cdf(s);
  const Kernel kernel = airy_kernel(s);
  const double trace = kernel.trace();
  return trace - 0.5 * (trace * trace - kernel.squaredNorm());
}

double tracy_widom_quantile(double p) {
  constexpr double kLowest = -10, kHighest = 16;  // beyond these lie less than 1e-10 and 1e-19
  if (!(p >= 1e-10 && p <= 1 - 1e-10)) throw std::domain_error("a Tracy-Widom quantile takes p in [1e-10, 1 - 1e-10]");
  std::uintmax_t iterations = 200;
  const auto [low, high] =
      boost::math::tools::toms748_solve([&](double s) { return (1 - p) - tracy_widom_tail(s); }, kLowest, kHighest,
                                        boost::math::tools::eps_tolerance<double>(45), iterations);
  return 0.5 * (low + high);
}

}  // namespace attnlaw::matrix_laws
