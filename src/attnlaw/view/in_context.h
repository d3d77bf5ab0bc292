#pragma once
/// This file shows how a trained linear attention layer regresses in context.

#include <optional>
#include <vector>

#include "attnlaw/laws/in_context/simulation.h"
#include "attnlaw/laws/in_context/singular_values.h"
#include "attnlaw/view/result.h"

namespace attnlaw::view {

/// An option that several points of a result differ in.
enum class InContextAxis { context, tasks, sequences, noise, lambda, test_context, test_noise };

/// The law of the singular values of the trained matrix.
struct InContextSpectrum {
  std::vector<matrix_laws::Interval> bands;
  laws::SingularValueDensity density;

  /// Returns the ends of the bands as documents have them.
  std::vector<std::vector<double>> edges() const;
};
const base::Description& describe(const InContextSpectrum*);

/// One point is a prediction with what was simulated beside it.
struct InContextPoint {
  laws::InContextPrediction prediction;
  std::optional<InContextSpectrum> singular_values;           ///< of a single point
  std::vector<laws::InContextExperiment> experiments;         ///< one for each d
  std::optional<laws::InContextExtrapolation> extrapolation;  ///< of several d
};
const base::Description& describe(const InContextPoint*);

/// The result is all that `attnlaw icl` found.
struct InContextResult {
  std::vector<InContextAxis> axes;  ///< the first is horizontal; none for a single point
  bool map = false;                 ///< over two axes
  std::vector<InContextPoint> points;

  bool converged() const;
};
const base::Description& describe(const InContextResult*);

/// A single point has tables of its errors, of the trained matrix and of others beside it; several have one table, and
/// a map a letter for each. Rows are told apart by `kind`: theory, and at finite size mean, standard_error, law,
/// difference, instance; of a single point also density and singular_value.
Result show(const InContextResult& result, bool draw);

}  // namespace attnlaw::view
