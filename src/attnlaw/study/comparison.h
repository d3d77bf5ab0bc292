#pragma once
/// Experiments at finite d beside the theory of the very same targets (docs/guide/finite-size.md).

#include <nlohmann/json.hpp>
#include <span>
#include <vector>

#include "attnlaw/experiment/experiment.h"
#include "attnlaw/theory/state_evolution.h"

namespace attnlaw::study {

/// A figure with its standard error over instances (NaN for one instance).
struct Estimate {
  double value = 0;
  double standard_error = 0;
};

/// One Estimate for every error that theory and experiment share.
struct ErrorEstimates {
  Estimate train;
  Estimate test;
  Estimate estimation;
};

struct Comparison {
  experiment::Experiment experiment;
  /// Theory on the eigenvalues of all instances' targets together.
  theory::Solution theory;
  /// Theory on the target of each instance.
  std::vector<theory::Errors> instance_theory;
  /// Mean over instances of (experiment − theory of that instance)/theory. Of order 1/d: a finite-size correction, not
  /// a discrepancy.
  ErrorEstimates difference;

  /// Every instance trained and every theory solved.
  bool converged() const;
};

/// Runs experiment::run and solves the theory of every instance, on options.threads threads. Throws what
/// experiment::run throws.
Comparison compare(const model::Problem& problem, const experiment::Options& options,
                   const theory::SolveOptions& theory_options = {});

/// A relative difference taken to 1/d → 0, and how many standard errors it lies off zero.
struct Extrapolated : Estimate {
  double z = 0;
};

struct Extrapolation {
  Extrapolated train;
  Extrapolated test;
  Extrapolated estimation;
};

/// Throws std::invalid_argument unless there are two different d, and two instances to estimate their scatter from.
void require_extrapolable(std::span<const int> d, int instances);

/// Weighted least squares of the relative differences in 1/d: linear for two or three sizes, quadratic from four on.
/// Instances scatter like s/d (sums over d² weights and n ∝ d² sequences), with one s for all sizes from their
/// residuals. Throws as require_extrapolable.
Extrapolation extrapolate(std::span<const Comparison> comparisons);

/// The `simulate` document of docs/json.md: for one comparison its own, for several `sizes` and `extrapolation`.
nlohmann::json to_json(std::span<const Comparison> comparisons);

}  // namespace attnlaw::study
