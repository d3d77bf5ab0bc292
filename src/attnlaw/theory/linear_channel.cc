#include "attnlaw/theory/linear_channel.h"

namespace attnlaw::theory {
namespace {

/// Of `scores` coordinates with g = (y − ω)/width and Var(y − ω) = residual.
Conjugates quadratic_conjugates(double alpha, double scores, double residual, double width) {
  const double gain = 2 * alpha * scores / width;
  return {gain * residual / width, gain, gain};
}

/// Inverse curvature of the loss 2(z − y)².
constexpr double kInverseCurvature = 0.25;

}  // namespace

OutputChannel::Result LinearChannel::evaluate(const Overlaps& overlaps, int /*replicate*/) const {
  const double width = overlaps.V + kInverseCurvature;
  const double residual = overlaps.estimation(Q_star_) + noise_;
  const double shrinkage = kInverseCurvature / width;
  return {quadratic_conjugates(alpha_, scores_, residual, width), 2 * scores_ * residual * shrinkage * shrinkage};
}

double LinearChannel::test(const Overlaps& overlaps, int /*replicate*/) const {
  return 2 * scores_ * overlaps.estimation(Q_star_);
}

SectorMatrix LinearChannel::squared_response(const Overlaps& overlaps) const {
  const double width = overlaps.V + kInverseCurvature;
  return {{2 * alpha_ * scores_ / (width * width), 0}, {}};
}

OutputChannel::Result InterpolatingChannel::evaluate(const Overlaps& overlaps, int /*replicate*/) const {
  const double r = beta_ratio_;
  const double residual = r * r * (Q_star_ + noise_) - 2 * r * overlaps.m + overlaps.q;
  Conjugates conjugates = quadratic_conjugates(alpha_, scores_, residual, overlaps.V);
  conjugates.m_hat *= r;
  return {conjugates, 0};
}

OutputChannel::Result InterpolatingChannel::evaluate_at_zero(int replicate) const {
  // The threshold 2λ/m̂ = λV/(αK_eff) must not matter.
  constexpr double kSmall = 1e-3;
  return evaluate({0, 0, kSmall * alpha_ * scores_ * std::sqrt(Q_star_ + noise_)}, replicate);
}

SectorMatrix InterpolatingChannel::squared_response(const Overlaps& overlaps) const {
  return {{2 * alpha_ * scores_ / (overlaps.V * overlaps.V), 0}, {}};
}

}  // namespace attnlaw::theory
