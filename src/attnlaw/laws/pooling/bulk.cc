#include "attnlaw/laws/pooling/bulk.h"

#include <Eigen/Eigenvalues>
#include <algorithm>
#include <array>
#include <boost/math/special_functions/binomial.hpp>
#include <cmath>
#include <numbers>

#include "attnlaw/base/fields/description.h"
#include "attnlaw/base/reject.h"

namespace attnlaw::laws {
namespace {

using matrix_laws::Complex;
using matrix_laws::Interval;
using matrix_laws::Law;
using std::numbers::pi;

/// The curve s = r e^{iφ} on which F is real, as Im F = 0 reads r³ − a r − 2b cos φ = 0. Its parameter is u =
/// cos²(φ/2), which runs from 0 at the lower edge to 1 at the upper one; x increases with it.
class Curve {
 public:
  explicit Curve(const PoolingRatios& ratios)
      : factors_{1, ratios.delta, ratios.gamma},
        a_(ratios.delta + ratios.gamma + ratios.delta * ratios.gamma),
        b_(ratios.delta * ratios.gamma),
        cosine_(std::min(1.0, b_ * std::pow(3 / a_, 1.5))) {}

  /// Returns the largest root of r³ − a r − 2b (2u − 1) = 0. The angle is taken from its distance to π, so that nothing
  /// cancels where two roots meet.
  double radius(double u) const {
    const double half_versine = std::clamp(0.5 * (1 - cosine_) + u * cosine_, 0.0, 1.0);
    return 2 * std::sqrt(a_ / 3) * std::cos((pi - 2 * std::asin(std::sqrt(half_versine))) / 3);
  }

  /// Returns the law at u, from F/κ = |s+1| |s+δ| |s+γ|/|s|² and |s+c|² = (r−c)² + 4cru.
  Law::Point point(double u, double kappa) const {
    const double r = radius(u), dr = 4 * b_ / (3 * r * r - a_);
    double x = kappa / (r * r), dlog = -2 * dr / r;
    for (const double c : factors_) {
      const double squared = (r - c) * (r - c) + 4 * c * r * u;
      x *= std::sqrt(squared);
      dlog += ((r - c) * dr + 2 * c * (r + u * dr)) / squared;
    }
    const double sine = 2 * std::sqrt(u * (1 - u));
    return {x, x * dlog, Complex(1 + (2 * u - 1) / r, -sine / r) / x, 0};
  }

  Interval band(double kappa) const {
    std::array<double, 3> ordered = factors_;
    std::sort(ordered.begin(), ordered.end());
    const bool hard = ordered[1] == ordered[2];
    return {hard ? 0 : point(0, kappa).x, point(1, kappa).x};
  }

 private:
  std::array<double, 3> factors_;
  double a_, b_;
  double cosine_;  ///< b (3/a)^{3/2}, at most 1 since a ≥ 3 b^{2/3}
};

void require_scale(double kappa) {
  if (!(kappa > 0) || !std::isfinite(kappa)) base::reject("kappa must be a finite number > 0, got {}", kappa);
}

/// Returns the roots of s³ + (1+δ+γ−x) s² + a s + b = 0, that is of F(s) = x at κ = 1.
Eigen::Vector3cd preimages(const PoolingRatios& ratios, Complex x) {
  const double a = ratios.delta + ratios.gamma + ratios.delta * ratios.gamma, b = ratios.delta * ratios.gamma;
  Eigen::Matrix3cd companion;
  companion << x - (1 + ratios.delta + ratios.gamma), -a, -b, 1, 0, 0, 0, 1, 0;
  Eigen::Vector3cd roots = companion.eigenvalues();
  // Each root takes one Newton step, but not where two roots nearly meet.
  for (Complex& s : roots) {
    const Complex value = (s + 1.0) * (s + ratios.delta) * (s + ratios.gamma) - x * s * s;
    const Complex slope = 3.0 * s * s + 2.0 * (1 + ratios.delta + ratios.gamma - x) * s + a;
    const Complex step = value / slope;
    constexpr double kPolish = 1e-3;
    if (std::abs(step) < kPolish * std::abs(s)) s -= step;
  }
  return roots;
}

Complex stieltjes_at(Complex s, Complex x) { return (1.0 + 1.0 / s) / x; }

}  // namespace

void require_valid(const PoolingRatios& ratios) { base::require_in_ranges(describe(&ratios), &ratios); }

double pooling_map(const PoolingRatios& ratios, double s) {
  return (s + 1) * ((s + ratios.delta) / s) * ((s + ratios.gamma) / s);
}

CriticalPoints critical_points(const PoolingRatios& ratios) {
  const Curve curve(ratios);
  return {-curve.radius(0), curve.radius(1)};
}

Law pooling_law(const PoolingRatios& ratios, double kappa) {
  require_valid(ratios);
  require_scale(kappa);
  const Curve curve(ratios);
  const double continuous = 1 / std::max({1.0, ratios.delta, ratios.gamma});
  std::vector<Law::Atom> atoms;
  if (continuous < 1) atoms.push_back({0, 1 - continuous});
  return Law(
      std::move(atoms), {{{0, 1}, curve.band(kappa), continuous}},
      [curve, kappa](double u, const Law::Point*) { return curve.point(u, kappa); }, kappa,
      kappa * kappa * pooling_moment(ratios, 2));
}

PoolingDensity pooling_density(const PoolingRatios& ratios, double kappa, int count) {
  const Curve curve(ratios);
  PoolingDensity result;
  for (int i = 0; i < count; ++i) {
    const double sine = std::sin(0.5 * pi * (i + 0.5) / count);
    const Law::Point point = curve.point(sine * sine, kappa);
    result.x.push_back(point.x);
    result.density.push_back(-point.g.imag() / pi);
  }
  return result;
}

Complex pooling_stieltjes(const PoolingRatios& ratios, Complex x) {
  require_valid(ratios);
  if (x.imag() < 0) return std::conj(pooling_stieltjes(ratios, std::conj(x)));
  const Eigen::Vector3cd roots = preimages(ratios, x);
  const Interval band = Curve(ratios).band(1);
  const auto real_part = [](const Complex& first, const Complex& second) { return first.real() < second.real(); };
  if (x.imag() == 0 && x.real() >= band.upper)
    return stieltjes_at(std::max_element(roots.begin(), roots.end(), real_part)->real(), x);
  if (x.imag() == 0 && x.real() <= band.lower)
    return stieltjes_at(std::min_element(roots.begin(), roots.end(), real_part)->real(), x);
  // Off the real axis and inside the band, exactly one root has both Im s > 0 and Im G < 0.
  const auto margin = [&](const Complex& s) { return std::min(s.imag(), -stieltjes_at(s, x).imag()); };
  return stieltjes_at(*std::max_element(roots.begin(), roots.end(),
                                        [&](const Complex& s, const Complex& t) { return margin(s) < margin(t); }),
                      x);
}

double pooling_moment(const PoolingRatios& ratios, int n) {
  const auto order = static_cast<unsigned>(n);
  const auto binomial = [&](unsigned k) { return boost::math::binomial_coefficient<double>(order, k); };
  double sum = 0;
  for (unsigned j = 0; j < order; ++j)
    for (unsigned k = 0; j + k < order; ++k)
      sum += binomial(order - 1 - j - k) * binomial(j) * binomial(k) * std::pow(ratios.delta, j) *
             std::pow(ratios.gamma, k);
  return sum / n;
}

double upper_edge_coefficient(const PoolingRatios& ratios) {
  const double s = critical_points(ratios).upper;
  const double a = ratios.delta + ratios.gamma + ratios.delta * ratios.gamma, b = ratios.delta * ratios.gamma;
  const double curvature = 2 * a / (s * s * s) + 6 * b / (s * s * s * s);
  return std::sqrt(2 / curvature) / (pi * pooling_map(ratios, s) * s * s);
}

}  // namespace attnlaw::laws
