#include "attnlaw/laws/softmax/equation.h"

#include <fmt/format.h>

#include <Eigen/Core>
#include <algorithm>
#include <boost/math/tools/polynomial.hpp>
#include <boost/math/tools/roots.hpp>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <unsupported/Eigen/Polynomials>

#include "attnlaw/base/interrupt.h"

namespace attnlaw::laws {
namespace {

using Complex = SoftmaxEquation::Complex;

/// Newton's method takes at most kMostSteps from one start; the fixed-point map makes kFirstSweeps sweeps at first, and
/// kMostSweeps before it gives up. Where a polynomial tells the solution as well kFewSweeps are enough.
constexpr int kMostSteps = 40;
constexpr int kFirstSweeps = 8;
constexpr int kMostSweeps = 1 << 17;
constexpr int kFewSweeps = 64;
/// A step of less than this relative size may be rounding: it ends the iteration as soon as it no longer shrinks.
constexpr double kSmallStep = 1e-7;
constexpr double kNoStep = 4 * std::numeric_limits<double>::epsilon();
/// A root on the real axis comes out with an imaginary part of this size or less.
constexpr double kRealRoot = 1e-11;

/// Tells whether x lies below the real axis by more than rounding.
bool below(Complex x) { return x.imag() < -kRealRoot * std::abs(x); }

using Polynomial = boost::math::tools::polynomial<double>;  ///< coefficients, the constant first

}  // namespace

SoftmaxEquation::SoftmaxEquation(const LinearModel& model)
    : v_(model.beta * model.beta),
      rho_(model.rho),
      tau_(model.tau),
      noise_(model.noise),
      variance_(model.variance()),
      features_(model.features),
      shift_(std::max(rho_, tau_)) {}

template <class Number>
SoftmaxEquation::Point<Number> SoftmaxEquation::at(Number q) const {
  const Number p = q - shift_, p_rho = q + (rho_ - shift_), p_tau = q + (tau_ - shift_);
  const Number inverse_p = 1.0 / p;
  const Number turning = p * p - tau_ * p - 2 * rho_ * tau_;
  Number w = std::sqrt(v_ * p_rho) * p_tau * inverse_p;
  if constexpr (!std::is_same_v<Number, double>) {
    if (w.imag() < 0) w = -w;
  }
  const Number x = w * w, noise = noise_ / x;
  const Number both = p_rho * p_tau;
  Point<Number> point{w, 1.0 + inverse_p + noise, 1.0 + inverse_p - 2.0 * both * inverse_p / turning - noise,
                      0.5 * w * turning * inverse_p / both};
  for (const FeatureMatrix& feature : features_) {
    const double square = feature.ratio * feature.variance;
    const Number inverse = 1.0 / (x - square);
    point.z += feature.variance * inverse;
    point.dz_dw -= feature.variance * (x + square) * inverse * inverse;
  }
  point.z *= w;
  return point;
}

template SoftmaxEquation::Point<double> SoftmaxEquation::at(double) const;
template SoftmaxEquation::Point<Complex> SoftmaxEquation::at(Complex) const;

std::optional<Complex> SoftmaxEquation::newton(double s, Complex q) const {
  double last = std::numeric_limits<double>::infinity();
  for (int step = 0; step < kMostSteps; ++step) {
    base::check_interrupt();
    const Point<Complex> point = at(q);
    const Complex change = (point.z - s) / (point.dz_dw * point.dw_dq);
    q -= change;
    const double size = std::abs(change) / std::abs(q);
    if (!std::isfinite(size)) return std::nullopt;
    if (size <= kNoStep || (size <= kSmallStep && size >= 0.5 * last)) return q;
    last = size;
  }
  return std::nullopt;
}

bool SoftmaxEquation::physical(Complex q) const {
  const Complex w = at(q).w, p = q - shift_, p_tau = q + (tau_ - shift_);
  return below(-w) && below(w / p_tau) && below(p_tau / (w * p));
}

Complex SoftmaxEquation::start_from(Complex h, double s) const {
  const Complex u = h * h;
  Complex t = s * h - 1.0 - noise_ * u;
  for (const FeatureMatrix& f : features_) t -= f.variance * u / (1.0 - f.ratio * f.variance * u);
  const Complex chain = 1.0 + tau_ * t;
  if (rho_ >= tau_) return 1.0 / (v_ * u * chain * chain);  // q is p + ρ
  // q is p + τ = (1 + τt)/t. Its numerator is small where d is, so its digits come from the equation for t.
  const Complex root = std::sqrt(t / (v_ * u * (1.0 + rho_ * t)));
  return (std::abs(root - chain) < std::abs(root + chain) ? root : -root) / t;
}

std::vector<Complex> SoftmaxEquation::candidates(double s) const {
  // z² = s² with w² = v R/p², R = (p+ρ)(p+τ)², times v p⁴ R: v²R²(p+1)² + 2ω²v p³(p+1)R + ω⁴p⁶ − s²v p⁴R = 0.
  const Polynomial p{0.0, 1.0}, R = (p + rho_) * pow(p + tau_, 2);
  const Polynomial sum = v_ * v_ * R * R * pow(p + 1.0, 2) + 2 * noise_ * v_ * pow(p, 3) * (p + 1.0) * R +
                         noise_ * noise_ * pow(p, 6) - s * s * v_ * pow(p, 4) * R;
  const Eigen::PolynomialSolver<double, Eigen::Dynamic> solver(
      Eigen::Map<const Eigen::VectorXd>(sum.data().data(), static_cast<Eigen::Index>(sum.size())));
  std::vector<Complex> points;
  for (const Complex root : solver.roots()) points.push_back(root + shift_);
  return points;
}

Complex SoftmaxEquation::solve(double s, const Complex* nearby_h, double nearby_s) const {
  const auto h_at = [&](Complex q) { return 1.0 / at(q).w; };
  if (nearby_h != nullptr) {
    const auto q = newton(s, start_from(*nearby_h, nearby_s));
    if (q && physical(*q)) return h_at(*q);
  }
  // The fixed-point map takes the lower half plane into itself and has one fixed point there, so that it converges from
  // anywhere; Newton's method takes over as soon as it ends at that point, which its signs tell.
  Complex h(0, -1 / std::sqrt(variance_)), g = h;
  const bool polynomial = tau_ > 0 && features_.empty();
  for (int sweeps = kFirstSweeps; sweeps <= (polynomial ? kFewSweeps : kMostSweeps); sweeps *= 2) {
    Complex D;
    for (int sweep = 0; sweep < sweeps; ++sweep) {
      base::check_interrupt();
      D = v_ / (1.0 / g - rho_ * v_ * g);
      g = 0.5 * (g + 1.0 / (1.0 / h - tau_ * D));
      Complex w = s - noise_ * h - 1.0 / (1.0 / D - tau_ * h);
      for (const FeatureMatrix& f : features_) w -= f.variance / (1.0 / h - f.ratio * f.variance * h);
      h = 0.5 * (h + 1.0 / w);
    }
    // This is q = p + ρ or p + τ without taking a difference.
    const auto q = newton(s, rho_ >= tau_ ? 1.0 / (v_ * g * g) : 1.0 / (h * D));
    if (q && physical(*q)) return h_at(*q);
  }
  if (polynomial) {
    for (const Complex start : candidates(s)) {
      const auto q = newton(s, start);
      if (q && physical(*q)) return h_at(*q);
    }
  }
  throw std::runtime_error(fmt::format("the equation of the softmax law was not solved at s = {:.17g}", s));
}

std::vector<SoftmaxEquation::Gap> SoftmaxEquation::gaps() const {
  constexpr double kInfinite = std::numeric_limits<double>::infinity();
  if (tau_ > 0) {
    // w is real beyond the turning points of w²(p), the ends of the band of the linear part.
    const double root = std::sqrt(tau_ * (tau_ + 8 * rho_));
    std::vector<Gap> gaps;
    if (rho_ > tau_) gaps.push_back({0, 0.5 * (tau_ - root) + shift_, 1 / rho_});
    gaps.push_back({0.5 * (tau_ + root) + shift_, kInfinite, 0});
    return gaps;
  }
  // For τ = 0 w² = β² q, and gaps lie between the poles of z: there is one for S and one for each matrix of features,
  // with the mass of its rank.
  std::vector<std::pair<double, double>> poles{{rho_, 1 / rho_}};
  for (const FeatureMatrix& f : features_) poles.emplace_back(f.ratio * f.variance / v_, 1 / f.ratio);
  std::sort(poles.begin(), poles.end());
  std::vector<Gap> gaps(poles.size() + 1);
  gaps.back() = {poles.back().first, kInfinite, 0};
  for (std::size_t k = poles.size(); k-- > 0;)
    gaps[k] = {k > 0 ? poles[k - 1].first : 0, poles[k].first, gaps[k + 1].mass_above + poles[k].second};
  return gaps;
}

double SoftmaxEquation::square_at_zero() const {
  // With t = −θ, y(θ) = −h² increases in θ while no factor changes its sign, and at z = 0 the equation for z h reads
  // excess(θ) = 0.
  const auto y = [&](double theta) {
    const double chain = 1 - tau_ * theta;
    return theta / (v_ * (1 - rho_ * theta) * chain * chain);
  };
  const auto excess = [&](double theta) {
    const double square = y(theta);
    double sum = 1 - theta - noise_ * square;
    for (const FeatureMatrix& f : features_) sum -= f.variance * square / (1 + f.ratio * f.variance * square);
    return sum;
  };
  const double most = 1 / std::max({1.0, rho_, tau_});
  std::uintmax_t iterations = 300;
  const auto [low, high] = boost::math::tools::toms748_solve(excess, 0.0, most, 1.0, -1.0,
                                                             boost::math::tools::eps_tolerance<double>(), iterations);
  return y(0.5 * (low + high));
}

}  // namespace attnlaw::laws
