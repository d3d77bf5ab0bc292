#include "attnlaw/theory/channel/sign_channel.h"

#include <algorithm>
#include <boost/math/quadrature/gauss.hpp>
#include <cmath>
#include <numbers>

#include "attnlaw/base/normal.h"
#include "attnlaw/theory/channel/logistic.h"

namespace attnlaw::theory {
namespace {

using base::normal_cdf;
using base::normal_density;

/// log(1 + e^{−u}).
double loss(double u) { return std::max(-u, 0.0) + std::log1p(std::exp(-std::abs(u))); }
double loss_curvature(double u) { return logistic(u) * logistic(-u); }

/// A bisection as fine as ends of panels have to be.
template <class Function>
double rough_root(const Function& increasing, double low, double high) {
  constexpr int kSteps = 25;
  for (int step = 0; step < kSteps; ++step) {
    const double middle = 0.5 * (low + high);
    (increasing(middle) < 0 ? low : high) = middle;
  }
  return 0.5 * (low + high);
}

/// Averages over a label y and the field ω ~ N(0, q) of a student given y. Both labels contribute alike, y = −1 at −ω:
/// all is written for y = 1. The variable of integration is the proximal point u, which ω(u) = u − V s(−u) gives
/// without an equation to solve.
class Field {
 public:
  /// Labels y = sign of a normal variable of mean mω/q and variance `unexplained`.
  Field(const Overlaps& overlaps, double unexplained)
      : width_(std::sqrt(overlaps.q)),
        V_(overlaps.V),
        spread_(std::sqrt(unexplained)),
        sharpness_(overlaps.m / (overlaps.q * spread_)) {}

  /// Z(1|ω).
  double probability(double omega) const { return normal_cdf(sharpness_ * omega); }
  /// ∂Z/∂ω times q/m.
  double slope(double omega) const { return normal_density(sharpness_ * omega) / spread_; }

  /// 2 ∫ function(u, ω) N(ω; 0, q) dω.
  template <class Function>
  double average(const Function& function) const {
    using Gauss = boost::math::quadrature::gauss<double, 12>;
    const double low = end(-1), high = end(1);
    const double first = length(low), last = length(high);
    const int panels = static_cast<int>(std::ceil(last - first));
    double sum = 0, from = low;
    for (int k = 1; k <= panels; ++k) {
      const double wanted = first + k * (last - first) / panels;
      const double to = k == panels ? high : rough_root([&](double u) { return length(u) - wanted; }, from, high);
      const double centre = 0.5 * (from + to), half = 0.5 * (to - from);
      for (std::size_t i = 0; i < Gauss::abscissa().size(); ++i)
        for (const double side : {-1.0, 1.0}) {
          const double u = centre + side * half * Gauss::abscissa()[i], at = omega(u);
          const double density = normal_density(at / width_) / width_ * (1 + V_ * loss_curvature(u));
          sum += half * Gauss::weights()[i] * density * function(u, at);
        }
      from = to;
    }
    return 2 * sum;
  }

 private:
  double omega(double u) const { return u - V_ * logistic(-u); }

  /// Where ω is at an end of its law.
  double end(double side) const {
    const double wanted = side * kNormalReach * width_;
    return rough_root([&](double u) { return omega(u) - wanted; }, wanted, wanted + V_);
  }

  /// Panels of unit length resolve all that is integrated: logistic functions of u (poles at ±iπ), the normal density
  /// of ω, and the step of Z at ω = 0.
  double length(double u) const {
    const double at = omega(u);
    return 2 * std::asinh(u / (2 * kLogisticPanel)) + at / width_ + std::asinh(std::abs(sharpness_) * at);
  }

  double width_, V_, spread_, sharpness_;
};

}  // namespace

SignChannel::SignChannel(const model::Problem& problem, double Q_star)
    : gain_(problem.symmetry() * problem.alpha), noise_(problem.noise), Q_star_(Q_star) {}

OutputChannel::Result SignChannel::evaluate(const Overlaps& overlaps, int /*replicate*/, ChannelWorkspace*) const {
  const Field field(overlaps, overlaps.unexplained(Q_star_ + noise_));
  const double V = overlaps.V;
  // With the gradient g = s(−u) of the loss and its curvature H: q̂ = gain·E Z g², m̂ = gain·E ∂Z g, V̂ = gain·E Z H/(1 +
  // VH).
  Result result;
  const auto mean = [&](const auto& function) {
    return field.average([&](double u, double omega) { return field.probability(omega) * function(u); });
  };
  result.conjugates.q_hat = gain_ * mean([](double u) { return std::pow(logistic(-u), 2); });
  result.conjugates.m_hat =
      gain_ * field.average([&](double u, double omega) { return field.slope(omega) * logistic(-u); });
  result.conjugates.V_hat = gain_ * mean([&](double u) { return loss_curvature(u) / (1 + V * loss_curvature(u)); });
  result.train = mean(loss);
  return result;
}

OutputChannel::Result SignChannel::evaluate_at_zero(int /*replicate*/) const {
  constexpr double kGradient = 0.5, kCurvature = 0.25;
  const double m_hat = 2 * normal_density(0) * kGradient / std::sqrt(Q_star_ + noise_);
  return {{gain_ * kGradient * kGradient, gain_ * m_hat, gain_ * kCurvature}, std::numbers::ln2};
}

double SignChannel::fresh_loss(const Overlaps& overlaps, double noise, int /*replicate*/) const {
  if (!(overlaps.q > 0)) return std::numbers::ln2;
  const Overlaps untrained{overlaps.q, overlaps.m, 0};
  const Field field(untrained, untrained.unexplained(Q_star_ + noise));
  return field.average([&](double u, double omega) { return field.probability(omega) * loss(u); });
}

SectorMatrix SignChannel::squared_response(const Overlaps& overlaps, ChannelWorkspace*) const {
  const Field field(overlaps, overlaps.unexplained(Q_star_ + noise_));
  const double square = field.average([&](double u, double omega) {
    const double H = loss_curvature(u);
    return field.probability(omega) * std::pow(H / (1 + overlaps.V * H), 2);
  });
  return {{gain_ * square, 0}, {}};
}

std::optional<LossFigures> SignChannel::loss_figures(const Overlaps& overlaps) const {
  LossFigures figures;
  const double cosine = overlaps.q > 0 ? overlaps.m / std::sqrt(overlaps.q * Q_star_) : 0;
  figures.sign_error = std::acos(std::clamp(cosine, -1.0, 1.0)) / std::numbers::pi;
  return figures;
}

}  // namespace attnlaw::theory
