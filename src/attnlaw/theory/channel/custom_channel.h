#pragma once
/// Output channel of a loss and labels that are given as functions (docs/theory/custom.md).

#include <memory>

#include "attnlaw/model/custom_loss.h"
#include "attnlaw/theory/channel/block_proximal.h"
#include "attnlaw/theory/channel/output_channel.h"
#include "attnlaw/theory/channel/point_set.h"

namespace attnlaw::theory {

/// Expectations as SampledChannel takes them, over blocks of points: functions are called for many at once.
class CustomChannel final : public OutputChannel {
 public:
  /// `problem` has a custom loss.
  CustomChannel(const model::Problem& problem, double Q_star, const PointRule& rule);

  Result evaluate(const Overlaps& overlaps, int replicate, ChannelWorkspace* workspace) const override;
  Result evaluate_at_zero(int replicate) const override;
  double fresh_loss(const Overlaps& overlaps, double noise, int replicate) const override;
  bool identifies_scale() const override;
  SectorMatrix squared_response(const Overlaps& overlaps, ChannelWorkspace* workspace) const override;
  int replicates() const override { return static_cast<int>(points_->replicates()); }
  std::size_t points() const override { return points_->points; }

 private:
  /// Points with each label that they may have, weighted by its probability.
  struct Samples {
    SampleBlock tau, rho, labels;
    Eigen::ArrayXd weights;           ///< of sum 1 in each replicate
    std::vector<Eigen::Index> first;  ///< of each replicate, and the end

    Samples of(Eigen::Index from, Eigen::Index count) const;
  };
  Samples draw(double noise) const;

  struct Range {
    Eigen::Index first, last;
    double share;  ///< of each replicate in the mean
  };
  Range range_of(const Samples& samples, int replicate) const;

  /// Runs body(samples, ω, minima) over blocks of a range; returns Result::several.
  template <class Body>
  double for_each_block(const Overlaps& overlaps, const Range& range, ChannelWorkspace* workspace,
                        const Body& body) const;
  double mean_loss(const Samples& samples, const Overlaps& overlaps, double noise, int replicate) const;

  model::ScoredLoss loss_;
  BlockProximal proximal_;
  double gain_;  ///< sequences per parameter of S: 2α, or α with cross-attention
  double beta_ratio_;
  double noise_;
  double Q_star_;
  bool grid_;
  std::shared_ptr<const PointSet> points_;
  Samples training_, fresh_;
};

}  // namespace attnlaw::theory
