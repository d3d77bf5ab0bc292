#include "attnlaw/theory/channel/linear_channel.h"

namespace attnlaw::theory {
namespace {

/// Of coordinates with g = (y − ω)/width and Var(y − ω) = residual; `gain`: their number per parameter of S.
Conjugates quadratic_conjugates(double gain, double residual, double width) {
  const double response = gain / width;
  return {response * residual / width, response, response};
}

}  // namespace

LinearChannel::LinearChannel(const model::Problem& problem, double Q_star)
    : gain_(problem.symmetry() * problem.alpha),
      weight_(problem.readout == model::Readout::rows && !problem.cross() ? 2 : 1),
      scores_(problem.observed_score_count()),
      noise_(problem.noise),
      Q_star_(Q_star) {}

OutputChannel::Result LinearChannel::evaluate(const Overlaps& overlaps, int /*replicate*/, ChannelWorkspace*) const {
  const double inverse_curvature = 1 / (2 * weight_);
  const double width = overlaps.V + inverse_curvature;
  const double residual = overlaps.estimation(Q_star_) + noise_;
  const double shrinkage = inverse_curvature / width;
  return {quadratic_conjugates(gain_ * scores_, residual, width), weight_ * scores_ * residual * shrinkage * shrinkage};
}

double LinearChannel::fresh_loss(const Overlaps& overlaps, double noise, int /*replicate*/) const {
  return weight_ * scores_ * (overlaps.estimation(Q_star_) + noise);
}

SectorMatrix LinearChannel::squared_response(const Overlaps& overlaps, ChannelWorkspace*) const {
  const double width = overlaps.V + 1 / (2 * weight_);
  return {{gain_ * scores_ / (width * width), 0}, {}};
}

LeastLosses least_losses(const OutputChannel& channel, double noise) {
  LeastLosses losses{channel.least_loss(noise), {}};
  for (int replicate = 0; replicate < channel.replicates(); ++replicate)
    losses.replicates.push_back(channel.least_loss(noise, replicate));
  return losses;
}

OutputChannel::Result InterpolatingChannel::evaluate(const Overlaps& overlaps, int replicate, ChannelWorkspace*) const {
  const double r = beta_ratio_;
  // ‖S − r S*‖²/d by E, which may be known better than Q* − 2m + q.
  const double residual = r * overlaps.estimation(Q_star_) + (1 - r) * (overlaps.q - r * Q_star_) + r * r * noise_;
  Conjugates conjugates = quadratic_conjugates(fitted_, residual, overlaps.V);
  conjugates.m_hat *= r;
  return {conjugates, train_.of(replicate)};
}

OutputChannel::Result InterpolatingChannel::evaluate_at_zero(int replicate) const {
  // The threshold λV/(αK_eff) of cross-attention, or twice λV/(2αK_eff), must not matter.
  constexpr double kSmall = 1e-3;
  return evaluate({0, 0, kSmall * 0.5 * fitted_ * std::sqrt(Q_star_ + noise_)}, replicate, nullptr);
}

std::optional<LossFigures> InterpolatingChannel::loss_figures(const Overlaps& overlaps) const {
  auto figures = head_->loss_figures({overlaps.q, overlaps.m, 0});
  if (figures) figures->excess_train = figures->squared_train = 0;
  return figures;
}

SectorMatrix InterpolatingChannel::squared_response(const Overlaps& overlaps, ChannelWorkspace*) const {
  return {{fitted_ / (overlaps.V * overlaps.V), 0}, {}};
}

}  // namespace attnlaw::theory
