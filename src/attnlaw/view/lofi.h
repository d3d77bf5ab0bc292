#pragma once
/// This file shows what layer-wise spectral filtering finds.

#include <string>
#include <vector>

#include "attnlaw/base/estimate.h"
#include "attnlaw/laws/filtering/simulation.h"
#include "attnlaw/view/result.h"

namespace attnlaw::view {

/// This is what `lofi` has found in a file.
struct LofiDataOutcome {
  std::string source;
  long long n = 0, test = 0;  ///< samples
  int tokens = 1;             ///< of a sample
  long long features = 0;     ///< of a token
  int outputs = 1;
  bool attention = false;
  laws::FilterOptions filter;
  laws::LofiResult result;
};
const base::Description& describe(const LofiDataOutcome*);

/// A run has theory and experiments at one n.
struct LofiRun {
  int n = 0;
  laws::LofiTheory theory;
  std::vector<laws::LofiMeasurement> instances;

  base::Estimate test_error(std::size_t readout) const;
};
const base::Description& describe(const LofiRun*);

/// This is what it has found of a built-in target.
struct LofiTargetOutcome {
  laws::LofiTarget target;
  int d = 0;
  std::vector<LofiRun> runs;  ///< at least one; tables are of the last
};
const base::Description& describe(const LofiTargetOutcome*);

/// Rows are told apart by `kind`: feature, readout; those of targets begin with direction (the theory).
Result show(const LofiDataOutcome& outcome, bool draw);
Result show(const LofiTargetOutcome& outcome, bool draw);

}  // namespace attnlaw::view
