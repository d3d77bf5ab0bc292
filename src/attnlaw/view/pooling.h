#pragma once
/// This file shows what attention pooling does to a signal.

#include <optional>
#include <string>

#include "attnlaw/laws/pooling/pooling.h"
#include "attnlaw/laws/pooling/simulation.h"
#include "attnlaw/view/result.h"

namespace attnlaw::view {

/// The weights of sequences stand beside others.
struct PoolingWeights {
  std::vector<double> values;  ///< one for each position
  laws::PoolingChoices compared;
  double fixed_length_excess = 0;           ///< relative excess of the fourth moment at this length
  std::optional<double> harmonic_crossing;  ///< of a power profile; NaN: there is none
};
const base::Description& describe(const PoolingWeights*);

/// The law of sequences of a fixed length has a Kolmogorov distance to the law of many tokens.
struct PoolingFixedLength : laws::FixedLengthLaw {
  double distance = 0;
};
const base::Description& describe(const PoolingFixedLength*);

/// The outcome is all that `attnlaw pooling` found.
struct PoolingOutcome {
  laws::PoolingPrediction prediction;
  laws::PoolingDensity density;
  std::optional<laws::PooledSequences> sequences;
  std::optional<PoolingWeights> weights;  ///< of sequences
  std::optional<laws::Spike> nuisance;    ///< not centred
  std::optional<PoolingFixedLength> fixed_length;
  std::optional<laws::PoolingExperiment> experiment;
};
const base::Description& describe(const PoolingOutcome*);

/// The tables have the signal in the three matrices, the bulk, and of sequences the law at fixed length and the
/// weights. Rows are told apart by `kind`: levels, weights, density along the band, measured eigenvalues.
Result show(const PoolingOutcome& outcome, bool draw);

}  // namespace attnlaw::view
