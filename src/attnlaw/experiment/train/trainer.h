#pragma once
/// Defines the result and the shared parts of all trainers, which are in lbfgs.h, adam.h, fista.h and gamp.h.

#include <algorithm>
#include <limits>
#include <optional>

#include "attnlaw/base/matrix.h"
#include "attnlaw/experiment/student/objective.h"
#include "attnlaw/experiment/student/parameters.h"
#include "attnlaw/experiment/student/training_options.h"

namespace attnlaw::experiment {

struct Trained {
  base::Matrix<double> S;
  int iterations = 0;
  double kkt = 0;          ///< residual at S
  bool converged = false;  ///< kkt ≤ tolerance
  /// The posterior variance of every normalised score of a fresh sequence, given the training set (student bayes).
  double posterior_variance = 0;
};

/// Notices that a residual has stopped falling, because only rounding is left.
class StallDetector {
 public:
  /// Takes the next residual; returns whether the last kPatience ones have brought no new low.
  bool observe(double residual) {
    looks_since_best_ = residual < best_ ? 0 : looks_since_best_ + 1;
    best_ = std::min(best_, residual);
    return stalled();
  }
  bool stalled() const { return looks_since_best_ >= kPatience; }

 private:
  /// Residuals of slow but steady runs are not monotone: this leaves room for that, at the cost of so many looks at the
  /// end.
  static constexpr int kPatience = 100;

  double best_ = std::numeric_limits<double>::infinity();
  int looks_since_best_ = 0;
};

/// Returns the result S with its residual, by one pass through the data.
template <class Real>
Trained assess(Objective<Real>& objective, const base::Matrix<double>& S, int iterations, double tolerance);

/// Watches the optimality of a point by the bound that its gradient gives; only where the bound is below tolerance it
/// computes the whole residual.
template <class Real>
class Monitor {
 public:
  Monitor(Objective<Real>& objective, const Parameters& parameters, double tolerance)
      : objective_(objective), parameters_(parameters), tolerance_(tolerance) {}

  /// Returns the result at `point`, whose objective gradient is `gradient`, if it is optimal to tolerance.
  std::optional<Trained> optimal(const base::Matrix<double>& point, const base::Matrix<double>& gradient,
                                 int iterations);

  /// Returns the result at `point`, with its residual computed afresh.
  Trained finish(const base::Matrix<double>& point, int iterations);

  /// Tells whether the residual has stopped falling.
  bool stalled() const { return stall_.stalled(); }

 private:
  Objective<Real>& objective_;
  const Parameters& parameters_;
  double tolerance_;
  StallDetector stall_;
};

}  // namespace attnlaw::experiment
