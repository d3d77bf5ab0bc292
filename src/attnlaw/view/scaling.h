#pragma once
/// These functions show the learning curve of a power-law target as tables and chart.

#include "attnlaw/report/chart.h"
#include "attnlaw/report/table.h"
#include "attnlaw/theory/scaling.h"

namespace attnlaw::view {

/// The tables are the curve, its fitted exponents, transitions of modes, and crossovers if there are any.
std::vector<report::Table> scaling_tables(const theory::ScalingCurve& curve);
/// Rows are told apart by `kind`: points, exponents, transitions, crossovers.
report::Table scaling_rows(const theory::ScalingCurve& curve);
/// The chart draws the estimation error and its parts against n, both logarithmic.
report::Chart scaling_chart(const theory::ScalingCurve& curve);

}  // namespace attnlaw::view
