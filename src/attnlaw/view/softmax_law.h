#pragma once
/// These functions show the law of softmax attention at initialisation as tables, charts and warnings.

#include <optional>
#include <string>
#include <vector>

#include "attnlaw/laws/softmax/finite_size.h"
#include "attnlaw/laws/softmax/simulation.h"
#include "attnlaw/report/chart.h"
#include "attnlaw/report/table.h"
#include "attnlaw/view/warnings.h"

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

/// The parameters read as "β = 1, ρ = 1, orthonormal tokens".
std::string describe(const laws::SoftmaxParameters& parameters);

report::Table softmax_law_table(const SoftmaxLawResult& result);
report::Table finite_size_table(const laws::FiniteSize& size);
report::Table softmax_law_rows(const SoftmaxLawResult& result);

/// The chart draws the measured singular values over the law.
report::Chart softmax_law_chart(const SoftmaxLawResult& result);
/// The chart draws the law beside the Marchenko-Pastur law of the same variance.
report::Chart marchenko_pastur_chart(const SoftmaxLawResult& result);

Warnings warnings(const SoftmaxLawResult& result);

}  // namespace attnlaw::view
