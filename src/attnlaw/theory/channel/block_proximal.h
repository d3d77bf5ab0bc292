#pragma once
/// Proximal operator of a custom loss, many points at a time (docs/theory/custom.md).

#include "attnlaw/model/custom_loss.h"

namespace attnlaw::theory {

using model::SampleBlock;

/// Minima of ℓ(y, ζ) + |ζ − ω|²/(2V): where, the whole objective, and what ℓ is there.
struct BlockMinima {
  SampleBlock point;
  Eigen::ArrayXd objective;
  model::LossExpansion loss;  ///< its gradient is that of the objective
  /// Points where no undamped step ended the search: the minimum is at a kink, where ℓ has no Hessian.
  Eigen::Array<bool, Eigen::Dynamic, 1> kinked;
};

/// Damped Newton steps as in Proximal, which calls the loss once a step for all points that are still on their way. A
/// Hessian that is not positive definite is damped until it is.
class BlockProximal {
 public:
  explicit BlockProximal(const model::ScoredLoss& loss);

  /// Moves every point (the start on entry) to a local minimum. A point that comes close to `known`, a minimum found
  /// before, is left on its way there.
  void descend(const SampleBlock& labels, const SampleBlock& omega, double V, BlockMinima& minima,
               const SampleBlock* known = nullptr) const;

  /// Replaces local minima by the lowest that are found from other starts: the field, unless minima come from there;
  /// `fit`, no farther out than outputs saturate; and where there are several rows of scores the field with the scores
  /// of one row as in the fit. Returns at which points there was another minimum.
  Eigen::Array<bool, Eigen::Dynamic, 1> search(const SampleBlock& labels, const SampleBlock& omega,
                                               const SampleBlock& fit, double V, bool from_elsewhere,
                                               BlockMinima& minima) const;

 private:
  struct Points;
  void newton_steps(double stiffness, bool shorten, Points& points) const;
  SampleBlock foothold(const SampleBlock& fit) const;

  const model::ScoredLoss& loss_;
  std::vector<Eigen::MatrixXd> of_rows_;  ///< projections on the coordinates that a row of scores depends on
};

}  // namespace attnlaw::theory
