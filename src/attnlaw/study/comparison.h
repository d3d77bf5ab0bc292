#pragma once
/// Experiments at finite d beside the theory of the very same targets (docs/guide/finite-size.md).

#include <nlohmann/json.hpp>
#include <span>
#include <vector>

#include "attnlaw/base/estimate.h"
#include "attnlaw/experiment/experiment.h"
#include "attnlaw/theory/state_evolution.h"

namespace attnlaw::study {

using base::Estimate;

/// One Estimate for every error that theory and experiment share; NaN where there is none: `train` of the student
/// bayes, and an error that the theory of an instance has at exactly 0.
struct ErrorEstimates {
  Estimate train;
  Estimate test;
  Estimate estimation;
};

/// A difference (relative, taken to 1/d → 0, where nothing else is said) and how many standard errors it lies off zero.
struct Extrapolated : Estimate {
  double z = 0;
};

struct Extrapolation {
  Extrapolated train;
  Extrapolated test;
  Extrapolated estimation;
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

/// The errors that theory and experiment share: where each one stands.
struct SharedError {
  const char* name;
  double experiment::Measurements::*measured;
  double theory::Errors::*predicted;
  Estimate ErrorEstimates::*difference;
  Extrapolated Extrapolation::*extrapolated;
};
inline constexpr SharedError kSharedErrors[] = {
    {"train", &experiment::Measurements::train, &theory::Errors::train, &ErrorEstimates::train, &Extrapolation::train},
    {"test", &experiment::Measurements::test, &theory::Errors::test, &ErrorEstimates::test, &Extrapolation::test},
    {"estimation", &experiment::Measurements::estimation, &theory::Errors::estimation, &ErrorEstimates::estimation,
     &Extrapolation::estimation}};

/// Runs experiment::run and solves the theory of every instance, on options.threads threads. Throws what
/// experiment::run throws.
Comparison compare(const model::Problem& problem, const experiment::Options& options,
                   const theory::SolveOptions& theory_options = {});

/// The theory of an instance: on the eigenvalues of its own target.
theory::Solution theory_of(const model::Problem& problem, const experiment::Instance& instance,
                           const theory::SolveOptions& options);

/// Throws std::invalid_argument unless all d differ, there are two or more, and two instances to estimate their scatter
/// from.
void require_extrapolable(std::span<const int> d, int instances);

/// Weighted least squares of the relative differences in 1/d: linear for two or three sizes, quadratic from four on.
/// Instances scatter like s/d (sums over d² weights and n ∝ d² sequences), with one s for all sizes from their
/// residuals. Throws as require_extrapolable.
Extrapolation extrapolate(std::span<const Comparison> comparisons);

/// One figure of the spectral starts of an experiment, over its instances.
struct StartComparison {
  const char* name;         ///< q, m or cosine
  Estimate measured;        ///< mean
  double predicted = 0;     ///< mean of the theory on each instance's own target
  Extrapolated difference;  ///< measured − predicted, instance by instance: of order 1/d
};

/// q, m and cosine; empty where training did not begin at a spectral start.
std::vector<StartComparison> compare_starts(const experiment::Experiment& experiment);

/// One of the `instances` of docs/json.md, with the errors that its theory predicts.
nlohmann::json to_json(const experiment::Instance& instance, const theory::Errors& predicted);

/// The `simulate` document of docs/json.md: for one comparison its own, for several `sizes` and `extrapolation`.
nlohmann::json to_json(std::span<const Comparison> comparisons);

}  // namespace attnlaw::study
