#pragma once
/// Holds the options that every trainer takes.

#include <cstdint>
#include <functional>

#include "attnlaw/base/matrix.h"
#include "attnlaw/experiment/student/estimate.h"

namespace attnlaw::experiment {

struct TrainingOptions {
  double tolerance = 1e-5;  ///< residual at which training stops (Penalty::residual; gamp.h for the student bayes)
  int max_iterations = 0;   ///< after which the trainer stops with converged = false
  std::uint64_t seed = 0;   ///< with `instance`, keys the initial weights
  std::uint64_t instance = 0;
  /// Called by gamp after every iteration with the student S and its V.
  std::function<void(const base::Matrix<double>& S, double V)> observe = {};
  /// The spectral start of the student (spectral_start.h), which must outlive training; null means the trainer's own,
  /// random W or S = 0. Only gamp reads its V.
  const MatrixEstimate* start = nullptr;
  double rate = 0;         ///< of adam at the beginning; 0 means its own
  double stop_change = 0;  ///< adam: 0, or the change of Σ_μ ℓ plus penalty in one step at which it stops
};

}  // namespace attnlaw::experiment
