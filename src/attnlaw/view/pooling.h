#pragma once
/// These functions show attention pooling as tables and charts.

#include <optional>
#include <string>

#include "attnlaw/laws/pooling/pooling.h"
#include "attnlaw/laws/pooling/simulation.h"
#include "attnlaw/report/chart.h"
#include "attnlaw/report/table.h"
#include "attnlaw/view/warnings.h"

namespace attnlaw::view {

/// The outcome is all that `attnlaw pooling` found.
struct PoolingOutcome {
  laws::PoolingPrediction prediction;
  laws::PoolingDensity density;
  std::optional<laws::PooledSequences> sequences;
  std::optional<laws::PoolingChoices> choices;  ///< of sequences
  std::optional<laws::Spike> nuisance;          ///< not centred
  std::optional<double> harmonic_crossing;      ///< of a power profile
  std::optional<laws::FixedLengthLaw> fixed_length;
  std::optional<laws::PoolingExperiment> experiment;

  /// Returns the Kolmogorov distance of the law at fixed length to the law.
  double fixed_length_distance() const;
  bool power_profile() const { return sequences && sequences->profile.starts_with("power:"); }
};
const base::Description& describe(const PoolingOutcome*);

/// The outcome is named in one line: "δ = 0.5, γ = 0.5, …".
std::string describe(const PoolingOutcome& outcome);

/// The table has threshold, eigenvalue and alignment of the signal in the three matrices, and what was measured.
report::Table level_table(const PoolingOutcome& outcome);
report::Table bulk_table(const PoolingOutcome& outcome);
/// There is no table without a law at fixed length …
std::optional<report::Table> fixed_length_table(const PoolingOutcome& outcome);
/// … and none without sequences.
std::optional<report::Table> weights_table(const PoolingOutcome& outcome);
/// Rows are told apart by `kind`: levels, weights, density along the band, measured eigenvalues.
report::Table pooling_rows(const PoolingOutcome& outcome);

report::Chart pooling_spectrum_chart(const PoolingOutcome& outcome);
/// The chart draws the alignment against the strength of the signal.
report::Chart alignment_chart(const PoolingOutcome& outcome);

Warnings warnings(const PoolingOutcome& outcome);

}  // namespace attnlaw::view
