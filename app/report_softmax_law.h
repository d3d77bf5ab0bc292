#pragma once
/// How the law of softmax attention at initialisation reads as tables, charts and warnings.

#include <optional>
#include <string>
#include <vector>

#include "attnlaw/companion/softmax_law_finite_size.h"
#include "attnlaw/companion/softmax_law_simulation.h"
#include "attnlaw/report/chart.h"
#include "attnlaw/report/table.h"
#include "warnings.h"

namespace attnlaw::app {

/// The law, what T tokens do to it, and what was measured.
struct SoftmaxLawResult {
  companion::SoftmaxParameters parameters;
  companion::SoftmaxLaw law;
  companion::SoftmaxLaw::Curve density;
  companion::MarchenkoPasturDistance marchenko_pastur;
  std::optional<double> outlier;  ///< of the column term
  companion::FiniteSize finite_size;
  std::optional<companion::AttentionSimulation> simulation = {};
  std::optional<companion::AttentionComparison> measured = {};

  /// s₁(A) − 1 at the number of tokens; NaN where the bulk is not yet that of the law: the expansion says nothing
  /// there.
  double leading_excess() const;
  /// Mass and moments of the law agree with their exact values.
  bool converged() const;
};

/// "β = 1, ρ = 1, orthonormal tokens".
std::string describe(const companion::SoftmaxParameters& parameters);

report::Table softmax_law_table(const SoftmaxLawResult& result);
report::Table finite_size_table(const companion::FiniteSize& size);
report::Table softmax_law_rows(const SoftmaxLawResult& result);

/// The measured singular values over the law.
report::Chart softmax_law_chart(const SoftmaxLawResult& result);
/// The law beside the Marchenko-Pastur law of the same variance.
report::Chart marchenko_pastur_chart(const SoftmaxLawResult& result);

Warnings warnings(const SoftmaxLawResult& result);

}  // namespace attnlaw::app
