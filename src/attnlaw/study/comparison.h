#pragma once
/// Experiments at finite d beside the theory of the very same targets (docs/guide/finite-size.md).
///
/// ```cpp
/// #include <cstdio>
///
/// #include "attnlaw/study/comparison.h"
///
/// attnlaw::model::Problem problem;
/// problem.head = attnlaw::model::Head::linear;
/// problem.alpha = 0.5;
/// attnlaw::experiment::Options options;
/// options.d = 20;
/// const attnlaw::study::Comparison comparison = attnlaw::study::compare(problem, options);
/// std::printf("test error of the theory %.4f\n", comparison.theory.errors.test);
/// std::printf("of the experiment %.4f\n", comparison.experiment.mean.test);
/// const attnlaw::study::Estimate difference = comparison.difference.test;
/// std::printf("relative difference %.3f ± %.3f\n", difference.value, difference.standard_error);
/// ```

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <span>
#include <vector>

#include "attnlaw/base/estimate.h"
#include "attnlaw/experiment/experiment.h"
#include "attnlaw/theory/error_parts.h"
#include "attnlaw/theory/solve.h"

namespace attnlaw::study {

using base::Estimate;

/// All that the theory of a target says about the errors of an experiment.
struct Prediction : theory::Errors, theory::LossFigures {};
const base::Description& describe(const Prediction*);
Prediction prediction_of(const theory::Solution& solution);

/// A figure for every error that theory and experiment share; NaN where there is none: `train` of the student bayes,
/// `estimation` of sign labels, figures that a loss does not have, and an error that the theory of an instance has at
/// exactly 0.
template <class Figure>
struct OfEachError {
  Figure train;
  Figure test;
  Figure estimation;
  Figure excess_train;
  Figure excess_test;
  Figure squared_train;
  Figure squared_test;
  Figure test_noisy;
  Figure sign_error;
};
using ErrorEstimates = OfEachError<Estimate>;

/// A difference (relative, taken to 1/d → 0, where nothing else is said) and how many standard errors it lies off zero.
struct Extrapolated : Estimate {
  double z = 0;
};
const base::Description& describe(const Extrapolated*);

using Extrapolation = OfEachError<Extrapolated>;

/// The estimation error by its origin: as the theory has it on all targets drawn together, and as measured. At finite d
/// the k-th eigenvector of S stands for the k-th mode of the target, as many as the theory says are learned.
struct PartsComparison {
  theory::ErrorParts theory;
  theory::ErrorParts mean;
  theory::ErrorParts standard_error;  ///< NaN for one instance
};
const base::Description& describe(const PartsComparison*);

struct Comparison {
  experiment::Experiment experiment;
  /// Theory on the eigenvalues (singular values with cross-attention) of all instances' targets together.
  theory::Solution theory;
  /// Theory on the target of each instance.
  std::vector<Prediction> instance_theory;
  /// Mean over instances of (experiment − theory of that instance)/theory. Of order 1/d: a finite-size correction, not
  /// a discrepancy.
  ErrorEstimates difference;
  std::optional<PartsComparison> estimation_parts;  ///< of targets with modes of their own, learned one by one

  /// Every instance trained and every theory solved.
  bool converged() const;
};
const base::Description& describe(const Comparison*);

/// One of the `instances` of docs/json.md.
struct PredictedInstance : experiment::Instance {
  Prediction theory;  ///< on its own target
};
const base::Description& describe(const PredictedInstance*);

/// The errors that theory and experiment share: where each one stands.
struct SharedError {
  const char* name;
  double experiment::Measurements::*measured;
  double Prediction::*predicted;
  Estimate ErrorEstimates::*difference;
  Extrapolated Extrapolation::*extrapolated;
};
/// Figures of every problem, but for `train` of the student bayes and `estimation` of sign labels.
inline constexpr SharedError kSharedErrors[] = {
    {"train", &experiment::Measurements::train, &Prediction::train, &ErrorEstimates::train, &Extrapolation::train},
    {"test", &experiment::Measurements::test, &Prediction::test, &ErrorEstimates::test, &Extrapolation::test},
    {"estimation", &experiment::Measurements::estimation, &Prediction::estimation, &ErrorEstimates::estimation,
     &Extrapolation::estimation}};
/// Figures of the losses that have them (theory::LossFigures), and one of labels with noise.
inline constexpr SharedError kSharedFigures[] = {
    {"excess_train", &experiment::Measurements::excess_train, &Prediction::excess_train, &ErrorEstimates::excess_train,
     &Extrapolation::excess_train},
    {"excess_test", &experiment::Measurements::excess_test, &Prediction::excess_test, &ErrorEstimates::excess_test,
     &Extrapolation::excess_test},
    {"squared_train", &experiment::Measurements::squared_train, &Prediction::squared_train,
     &ErrorEstimates::squared_train, &Extrapolation::squared_train},
    {"squared_test", &experiment::Measurements::squared_test, &Prediction::squared_test, &ErrorEstimates::squared_test,
     &Extrapolation::squared_test},
    {"test_noisy", &experiment::Measurements::test_noisy, &Prediction::test_noisy, &ErrorEstimates::test_noisy,
     &Extrapolation::test_noisy},
    {"sign_error", &experiment::Measurements::sign_error, &Prediction::sign_error, &ErrorEstimates::sign_error,
     &Extrapolation::sign_error}};

/// The entries of kSharedFigures that a problem has; NaN where its labels have none.
std::span<const SharedError> shared_figures(const model::Problem& problem);

/// Runs experiment::run and solves the theory of every instance, on options.threads threads. Throws what
/// experiment::run throws. What options.keep_ended keeps has its theory, unless that takes half a second after the
/// interruption: then base::Interrupted is thrown.
Comparison compare(const model::Problem& problem, const experiment::Options& options,
                   const theory::SolveOptions& theory_options = {});

/// The theory of an instance: on the eigenvalues, or singular values, of its own target.
theory::Solution theory_of(const model::Problem& problem, const experiment::Instance& instance,
                           const theory::SolveOptions& options);

/// Throws std::invalid_argument unless all d differ, there are two or more, and two instances to estimate their scatter
/// from.
void require_extrapolable(std::span<const int> d, int instances);

/// The relative differences of one error at one d, one for each instance.
struct DifferencesAt {
  int d = 0;
  std::vector<double> differences;
};

/// extrapolate() of one error, from what require_extrapolable accepts.
Extrapolated extrapolate_differences(std::span<const DifferencesAt> sizes);

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

const base::Description& describe(const StartComparison*);

/// q, m and cosine; empty where training did not begin at a spectral start.
std::vector<StartComparison> compare_starts(const experiment::Experiment& experiment);

/// One of the `instances` of docs/json.md, with the errors that its theory predicts.
nlohmann::json to_json(const model::Problem& problem, const experiment::Instance& instance,
                       const Prediction& predicted);

/// The document of an extrapolation of comparisons of a problem: those errors that its loss has.
nlohmann::json to_json(const model::Problem& problem, const Extrapolation& extrapolation);

}  // namespace attnlaw::study
