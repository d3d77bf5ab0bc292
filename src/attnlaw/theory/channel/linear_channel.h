#pragma once
/// Output channels in closed form, of losses that are quadratic around the label (docs/theory/erm.md, sections 4 and
/// 6).

#include <vector>

#include "attnlaw/theory/channel/output_channel.h"

namespace attnlaw::theory {

/// Scores themselves: ℓ = c Σ_k (z_k − y_k)², Var(y − z*) = Δ per coordinate. c = 2 where all T² entries of symmetric
/// scores are fitted (the linear head of self-attention), else 1.
class LinearChannel final : public OutputChannel {
 public:
  LinearChannel(const model::Problem& problem, double Q_star);

  Result evaluate(const Overlaps& overlaps, int replicate, ChannelWorkspace* workspace) const override;
  Result evaluate_at_zero(int replicate) const override { return evaluate({}, replicate, nullptr); }
  double fresh_loss(const Overlaps& overlaps, double noise, int replicate) const override;
  SectorMatrix squared_response(const Overlaps& overlaps, ChannelWorkspace* workspace) const override;
  int replicates() const override { return 1; }
  std::size_t points() const override { return 0; }

 private:
  double gain_;    ///< of d² parameters: 2α, or α with cross-attention
  double weight_;  ///< c
  double scores_;
  double noise_;
  double Q_star_;
};

/// OutputChannel::least_loss over all points, and of each replicate.
struct LeastLosses {
  double all = 0;
  std::vector<double> replicates;

  double of(int replicate) const {
    return replicate == OutputChannel::kAll ? all : replicates[static_cast<std::size_t>(replicate)];
  }
};
LeastLosses least_losses(const OutputChannel& channel, double noise);

/// Any head while every label can be fitted: the proximal point is the projection of ω on the K_eff observed
/// combinations of scores, of which the label leaves nothing open: they are β*/β times those of the label. Test errors
/// are those of the head itself.
class InterpolatingChannel final : public OutputChannel {
 public:
  InterpolatingChannel(const model::Problem& problem, double Q_star, std::unique_ptr<OutputChannel> head)
      : fitted_(problem.symmetry() * problem.alpha * problem.observed_score_count()),
        noise_(problem.noise),
        beta_ratio_(problem.beta_ratio()),
        Q_star_(Q_star),
        head_(std::move(head)),
        train_(least_losses(*head_, noise_)) {}

  Result evaluate(const Overlaps& overlaps, int replicate, ChannelWorkspace* workspace) const override;
  /// Message passing starts from a student far smaller than its labels ask for, not from one that the penalty holds at
  /// zero.
  Result evaluate_at_zero(int replicate) const override;
  double fresh_loss(const Overlaps& overlaps, double noise, int replicate) const override {
    return head_->fresh_loss(overlaps, noise, replicate);
  }
  double least_loss(double noise, int replicate) const override { return head_->least_loss(noise, replicate); }
  std::optional<LossFigures> loss_figures(const Overlaps& overlaps) const override;
  SectorMatrix squared_response(const Overlaps& overlaps, ChannelWorkspace* workspace) const override;
  int replicates() const override { return head_->replicates(); }
  std::size_t points() const override { return head_->points(); }

 private:
  double fitted_;  ///< 2αK_eff, or αK_eff with cross-attention
  double noise_;
  double beta_ratio_;
  double Q_star_;
  std::unique_ptr<OutputChannel> head_;
  LeastLosses train_;  ///< all labels are fitted
};

}  // namespace attnlaw::theory
