#pragma once
/// These functions show layer-wise spectral filtering as tables and charts.

#include <string>
#include <vector>

#include "attnlaw/base/estimate.h"
#include "attnlaw/laws/filtering/simulation.h"
#include "attnlaw/report/chart.h"
#include "attnlaw/report/page.h"
#include "attnlaw/report/table.h"
#include "attnlaw/view/warnings.h"

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

std::vector<report::Table> lofi_tables(const LofiDataOutcome& outcome);
std::vector<report::Table> lofi_tables(const LofiTargetOutcome& outcome);
/// Rows are told apart by `kind`: feature, readout; those of targets begin with direction (the theory).
report::Table lofi_rows(const LofiDataOutcome& outcome);
report::Table lofi_rows(const LofiTargetOutcome& outcome);
report::Page lofi_page(const LofiDataOutcome& outcome);
report::Page lofi_page(const LofiTargetOutcome& outcome);
Warnings warnings(const LofiDataOutcome& outcome);
Warnings warnings(const LofiTargetOutcome& outcome);

}  // namespace attnlaw::view
