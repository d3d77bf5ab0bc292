#pragma once
/// These functions show thresholds, branches of solutions and phase diagrams as tables and charts.

#include "attnlaw/report/chart.h"
#include "attnlaw/report/table.h"
#include "attnlaw/study/phase_diagram.h"
#include "attnlaw/theory/continuation.h"

namespace attnlaw::view {

report::Table thresholds_table(const study::Thresholds& thresholds);
/// There is one row per threshold; one that does not exist has an empty alpha and its reason.
report::Table thresholds_rows(const study::Thresholds& thresholds);

/// The first table has the branches with their ends, the second spinodals and replicon crossings.
std::vector<report::Table> continuation_tables(const theory::Continuation& continuation);
/// Rows are told apart by `kind`: every point of every branch, spinodals, replicon crossings.
report::Table continuation_rows(const theory::Continuation& continuation);
report::Chart continuation_chart(const theory::Continuation& continuation);

/// The first table has the threshold lines; a second one says why one of them is nowhere (the reason at the first value
/// of the variable).
std::vector<report::Table> diagram_tables(const study::PhaseDiagram& diagram);
/// Rows are told apart by `kind`: every point of the plane, and the threshold lines.
report::Table diagram_rows(const study::PhaseDiagram& diagram);
/// The chart draws the test error over the plane.
report::Chart diagram_chart(const study::PhaseDiagram& diagram);

}  // namespace attnlaw::view
