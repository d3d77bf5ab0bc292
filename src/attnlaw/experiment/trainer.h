#pragma once
/// What every trainer returns, and what they share. One trainer per file: lbfgs.h, adam.h, fista.h.

#include <algorithm>
#include <limits>
#include <optional>

#include "attnlaw/experiment/matrix.h"
#include "attnlaw/experiment/objective.h"
#include "attnlaw/experiment/training_options.h"

namespace attnlaw::experiment {

struct Trained {
  Matrix<double> S;
  int iterations = 0;
  double kkt = 0;          ///< residual at S
  bool converged = false;  ///< kkt ≤ tolerance
};

/// W ∈ R^{d×d} with iid N(0,1) entries, a function of (seed, instance): S = W Wᵀ/d starts as a full-rank Wishart matrix
/// with Tr S/d = 1, the scale of the targets.
Matrix<double> initial_weights(Eigen::Index d, const TrainingOptions& options);

/// Notices that a residual has stopped falling: what is left is rounding.
class StallDetector {
 public:
  /// True if the last kPatience residuals have brought no new low.
  bool observe(double residual) {
    looks_since_best_ = residual < best_ ? 0 : looks_since_best_ + 1;
    best_ = std::min(best_, residual);
    return stalled();
  }
  bool stalled() const { return looks_since_best_ >= kPatience; }

 private:
  /// Residuals of slow but steady runs are not monotone; a choice with room for that, at the cost of as many looks.
  static constexpr int kPatience = 100;

  double best_ = std::numeric_limits<double>::infinity();
  int looks_since_best_ = 0;
};

/// Watches the optimality of a factor W from its gradient. The product part of the residual costs one d×d product; only
/// once it is below tolerance the gradient in S and its largest eigenvalue are computed.
template <class Real>
class FactorMonitor {
 public:
  FactorMonitor(Objective<Real>& objective, double tolerance) : objective_(objective), tolerance_(tolerance) {}

  /// The result at W, whose objective gradient is `gradient`, if it is optimal to tolerance.
  std::optional<Trained> optimal(const Matrix<double>& W, const Matrix<double>& gradient, int iterations);

  /// The result at W, with its residual computed afresh.
  Trained finish(const Matrix<double>& W, int iterations);

  /// True if the residual has stopped falling.
  bool stalled() const { return stall_.stalled(); }

 private:
  Objective<Real>& objective_;
  double tolerance_;
  StallDetector stall_;
};

}  // namespace attnlaw::experiment
