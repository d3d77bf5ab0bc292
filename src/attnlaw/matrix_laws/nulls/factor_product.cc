#include "attnlaw/matrix_laws/nulls/factor_product.h"

#include <boost/math/special_functions/binomial.hpp>
#include <boost/math/tools/roots.hpp>
#include <cmath>
#include <cstdint>
#include <numbers>
#include <stdexcept>

#include "attnlaw/base/reject.h"

namespace attnlaw::matrix_laws {
namespace {

using std::numbers::pi;

/// Returns the negative root of t³ − (1−β) t² − x t + x, the equation of w in t = 1 + β w, for x > 0. It lies right of
/// −(√x+β), where the cubic increases and is concave up to it, so that Newton's steps from there never overshoot.
double negative_root(double beta, double x) {
  constexpr int kMaxSteps = 200;
  constexpr double kRounding = 1e-16;
  double t = -(std::sqrt(x) + beta);
  for (int step = 0; step < kMaxSteps; ++step) {
    const double value = ((t - (1 - beta)) * t - x) * t + x, slope = (3 * t - 2 * (1 - beta)) * t - x;
    const double move = value / slope;
    t -= move;
    if (!(std::abs(move) > -kRounding * t)) break;
  }
  return t;
}

}  // namespace

double factor_product_position(double beta, double w) { return (1 + w) * (1 + beta * w) * (1 + beta * w) / w; }

FactorProductLaw::FactorProductLaw(double beta) : beta_(beta) {
  if (!(beta > 0 && beta <= 1))
    base::reject(
        "the ratio m/d of a query-key map must lie in (0, 1], got {}; a head of more rows than its model has "
        "no such law",
        beta);
  const double root = std::sqrt(1 + 8 / beta);
  edge_transform_ = (root - 1) / 4;
  const double lower = beta < 1 ? factor_product_position(beta, (-1 - root) / 4) : 0;
  support_ = {lower, factor_product_position(beta, edge_transform_)};
}

double FactorProductLaw::edge_coefficient() const {
  const double w = edge_transform_;
  const double curvature =
      1 / (w * w) - 1 / ((1 + w) * (1 + w)) - 2 * beta_ * beta_ / ((1 + beta_ * w) * (1 + beta_ * w));
  return std::sqrt(2 / (std::pow(support_.upper, 3) * curvature));
}

Complex FactorProductLaw::shifted_transform(double x) const {
  // The other two roots have the sum 1 − β − r and the product −x/r, which do not cancel where β = 1 and x is small.
  const double r = negative_root(beta_, x), re = (1 - beta_ - r) / 2;
  return {re, -std::sqrt(std::max(0.0, -x / r - re * re))};
}

double FactorProductLaw::density(double x) const {
  if (!(x > support_.lower && x < support_.upper)) return 0;
  return -shifted_transform(x).imag() / (pi * beta_ * x);
}

double FactorProductLaw::mass_above(double x) const {
  if (!(x > support_.lower)) return 1;
  if (x >= support_.upper) return 0;
  const Complex t = shifted_transform(x);
  const Complex primitive = (2 / beta_) * t - (2 * (1 - beta_) / beta_) * std::log(t) - std::log(t - 1.0);
  return std::min(1.0, std::max(0.0, primitive.imag() / pi));
}

double FactorProductLaw::value_above(double mass) const {
  if (!(mass > 0 && mass < 1)) throw std::domain_error("a quantile takes a probability in (0, 1)");
  std::uintmax_t iterations = 200;
  const auto [low, high] =
      boost::math::tools::toms748_solve([&](double x) { return mass_above(x) - mass; }, support_.lower, support_.upper,
                                        1 - mass, -mass, boost::math::tools::eps_tolerance<double>(), iterations);
  return 0.5 * (low + high);
}

double FactorProductLaw::moment(int n) const {
  const auto choose = [](int of, int k) {
    return boost::math::binomial_coefficient<double>(static_cast<unsigned>(of), static_cast<unsigned>(k));
  };
  double sum = 0, power = 1;
  for (int k = 0; k < n; ++k, power *= beta_) sum += choose(2 * n, k) * choose(n, n - 1 - k) * power;
  return sum / n;
}

}  // namespace attnlaw::matrix_laws
