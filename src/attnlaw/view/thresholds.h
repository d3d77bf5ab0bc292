#pragma once
/// How thresholds, branches of solutions and phase diagrams read as tables and charts.

#include "attnlaw/report/chart.h"
#include "attnlaw/report/table.h"
#include "attnlaw/study/phase_diagram.h"
#include "attnlaw/theory/continuation.h"

namespace attnlaw::view {

report::Table thresholds_table(const study::Thresholds& thresholds);
/// One row per threshold; none is an empty alpha with its reason.
report::Table thresholds_rows(const study::Thresholds& thresholds);

/// Branches with their ends, spinodals and replicon crossings.
std::vector<report::Table> continuation_tables(const theory::Continuation& continuation);
/// By `kind`: every point of every branch, spinodals, replicon crossings.
report::Table continuation_rows(const theory::Continuation& continuation);
report::Chart continuation_chart(const theory::Continuation& continuation);

/// The threshold lines, and why one of them is nowhere (the reason at the first value of the variable).
std::vector<report::Table> diagram_tables(const study::PhaseDiagram& diagram);
/// By `kind`: every point of the plane, and the threshold lines.
report::Table diagram_rows(const study::PhaseDiagram& diagram);
/// The test error over the plane.
report::Chart diagram_chart(const study::PhaseDiagram& diagram);

}  // namespace attnlaw::view
