#pragma once
/// Output channel of one-bit labels, by closed quadrature (docs/theory/losses.md).

#include <vector>

#include "attnlaw/theory/channel/output_channel.h"

namespace attnlaw::theory {

/// y = ±1, the sign of one score u, and the loss log(1 + e^{−yu}). Every expectation is one integral over the field ω
/// of the student with the probability of y given ω in closed form: no label is sampled.
class SignChannel final : public OutputChannel {
 public:
  SignChannel(const model::Problem& problem, double Q_star);

  Result evaluate(const Overlaps& overlaps, int replicate, ChannelWorkspace* workspace) const override;
  Result evaluate_at_zero(int replicate) const override;
  double fresh_loss(const Overlaps& overlaps, double noise, int replicate) const override;
  SectorMatrix squared_response(const Overlaps& overlaps, ChannelWorkspace* workspace) const override;
  bool identifies_scale() const override { return false; }
  std::optional<LossFigures> loss_figures(const Overlaps& overlaps) const override;
  int replicates() const override { return 1; }
  std::size_t points() const override { return 0; }

 private:
  double gain_;  ///< of d² parameters: 2α, or α with cross-attention
  double noise_;
  double Q_star_;
};

}  // namespace attnlaw::theory
