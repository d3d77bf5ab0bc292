#pragma once
/// Output channel of the linear head, in closed form: ℓ = 2 Σ_k (z_k − y_k)², Var(y − z*) = Δ per coordinate
/// (docs/theory/erm.md, section 4).

#include "attnlaw/theory/output_channel.h"

namespace attnlaw::theory {

class LinearChannel final : public OutputChannel {
 public:
  LinearChannel(const model::Problem& problem, double Q_star)
      : alpha_(problem.alpha), noise_(problem.noise), scores_(problem.score_count()), Q_star_(Q_star) {}

  Result evaluate(const Overlaps& overlaps, int replicate) const override;
  Result evaluate_at_zero(int replicate) const override { return evaluate({}, replicate); }
  double test(const Overlaps& overlaps, int replicate) const override;
  double squared_response(const Overlaps& overlaps) const override;
  int replicates() const override { return 1; }
  std::size_t points() const override { return 0; }

 private:
  double estimation(const Overlaps& overlaps) const { return Q_star_ - 2 * overlaps.m + overlaps.q; }

  double alpha_;
  double noise_;
  double scores_;
  double Q_star_;
};

}  // namespace attnlaw::theory
