#pragma once
/// Output channel of a loss in whitened coordinates, by quasi-Monte Carlo over (ω, t) and the proximal operator at each
/// point (docs/theory/erm.md, section 2; derivative-free conjugates).

#include <memory>
#include <vector>

#include "attnlaw/theory/output_channel.h"
#include "attnlaw/theory/pack.h"
#include "attnlaw/theory/quasi_monte_carlo.h"

namespace attnlaw::theory {

/// Independent scrambles of a rule, kLanes points at a time.
struct PointSet {
  std::vector<Pack> normals;            ///< per pack: all coordinates
  std::vector<Pack> weights;            ///< per pack; of sum 1 within a replicate
  std::vector<std::size_t> first_pack;  ///< of each replicate, and the end
};

/// The points of a dimension and size: always the same ones, and shared as long as somebody holds them.
std::shared_ptr<const PointSet> point_set(std::size_t dimension, int log2_points);

/// What a channel knows of its problem beside the loss of one part of a label.
struct ChannelScale {
  ChannelScale(const model::Problem& problem, double target_second_moment)
      : rows(problem.independent_rows()),
        gain(problem.symmetry() * problem.alpha * rows),
        beta_ratio(problem.target_beta / problem.beta),
        noise(problem.noise),
        Q_star(target_second_moment) {}

  double rows;        ///< independent parts of a label: errors per sequence are so many times those of one
  double gain;        ///< parts in all, per parameter of S: 2α, or αT1 with cross-attention
  double beta_ratio;  ///< target β over student β: the field at which the student's output equals the label
  double noise;
  double Q_star;
};

template <class Loss>
class SampledChannel final : public OutputChannel {
 public:
  /// Replicates of 2^log2_points points each.
  SampledChannel(Loss loss, const ChannelScale& scale, int log2_points);

  Result evaluate(const Overlaps& overlaps, int replicate) const override;
  Result evaluate_at_zero(int replicate) const override;
  double test(const Overlaps& overlaps, int replicate) const override;
  SectorMatrix squared_response(const Overlaps& overlaps) const override;
  int replicates() const override { return static_cast<int>(points_->first_pack.size()) - 1; }
  std::size_t points() const override { return points_->weights.size() * kLanes; }

 private:
  struct Field;
  /// Fields ω and t (the label's field, noise included) of one pack of points at the given overlaps.
  void draw(std::size_t pack, const Overlaps& overlaps, double noise, Field& field) const;
  /// Runs body(field, weight) over the packs of a replicate (or all); the weights add up to 1.
  template <class Body>
  void for_each_pack(const Overlaps& overlaps, double noise, int replicate, Body&& body) const;
  /// c of SoftmaxRows: √(V_a/V) for a general student.
  static double antisymmetric_scale(const Overlaps& overlaps);
  Loss scaled_loss(const Overlaps& overlaps) const;

  Loss loss_;
  ChannelScale scale_;
  std::shared_ptr<const PointSet> points_;
};

}  // namespace attnlaw::theory
