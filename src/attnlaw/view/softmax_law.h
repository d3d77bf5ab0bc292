#pragma once
/// This file shows the law of softmax attention at initialisation.

#include <optional>
#include <string>
#include <vector>

#include "attnlaw/laws/softmax/finite_size.h"
#include "attnlaw/laws/softmax/simulation.h"
#include "attnlaw/view/result.h"

namespace attnlaw::view {

/// Simulated matrices stand beside what they say of the law.
struct SoftmaxMeasured : laws::AttentionComparison {
  laws::AttentionSimulation simulation;
};
const base::Description& describe(const SoftmaxMeasured*);

/// The result has the law, what T tokens do to it, and what was measured.
struct SoftmaxLawResult {
  laws::SoftmaxParameters parameters;
  laws::SoftmaxLaw law;
  laws::SoftmaxLaw::Curve density;
  laws::MarchenkoPasturDistance marchenko_pastur;
  std::optional<double> outlier;  ///< of the column term
  laws::FiniteSize finite_size;
  std::optional<SoftmaxMeasured> measured = {};

  /// Returns s₁(A) − 1 at the number of tokens; NaN where the bulk is not yet that of the law: the expansion says
  /// nothing there.
  double leading_excess() const;
  /// Says whether mass and moments of the law agree with their exact values.
  bool converged() const;
};
const base::Description& describe(const SoftmaxLawResult*);

/// The tables are the law with what was measured, and what T tokens do to it; a title names the refinement. Rows are
/// told apart by `kind`: ends of bands, density, outlier, measured singular values.
Result show(const SoftmaxLawResult& result, laws::Refinement refinement, bool draw);

}  // namespace attnlaw::view
