#pragma once
/// What every trainer takes and returns. One trainer per file: lbfgs.h, adam.h, fista.h.

#include <cstdint>
#include <optional>

#include "attnlaw/experiment/matrix.h"
#include "attnlaw/experiment/objective.h"

namespace attnlaw::experiment {

struct TrainingOptions {
  double tolerance = 1e-5;  ///< KKT residual at which training stops (kkt_residual)
  int max_iterations = 10000;
  std::uint64_t seed = 0;  ///< with `instance`, keys the initial weights
  std::uint64_t instance = 0;
};

struct Trained {
  Matrix<double> S;
  int iterations = 0;
  double kkt = 0;          ///< residual at S
  bool converged = false;  ///< kkt ≤ tolerance
};

/// W ∈ R^{d×d} with iid N(0,1) entries, a function of (seed, instance): S = W Wᵀ/d starts as a full-rank Wishart matrix
/// with Tr S/d = 1, the scale of the targets.
Matrix<double> initial_weights(Eigen::Index d, const TrainingOptions& options);

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

 private:
  Objective<Real>& objective_;
  double tolerance_;
};

}  // namespace attnlaw::experiment
