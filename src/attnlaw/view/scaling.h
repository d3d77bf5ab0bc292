#pragma once
/// How the learning curve of a power-law target reads as tables and chart.

#include "attnlaw/report/chart.h"
#include "attnlaw/report/table.h"
#include "attnlaw/theory/scaling.h"

namespace attnlaw::view {

/// The curve; fitted exponents; transitions of modes; crossovers.
std::vector<report::Table> scaling_tables(const theory::ScalingCurve& curve);
/// By `kind`: points, exponents, transitions, crossovers.
report::Table scaling_rows(const theory::ScalingCurve& curve);
/// Estimation error and its parts against n, both logarithmic.
report::Chart scaling_chart(const theory::ScalingCurve& curve);

}  // namespace attnlaw::view
