#pragma once
/// This file shows the learning curve of a power-law target.

#include "attnlaw/theory/scaling.h"
#include "attnlaw/view/result.h"

namespace attnlaw::view {

/// The tables are the curve, its fitted exponents, transitions of modes, and crossovers if there are any. Rows are told
/// apart by `kind`: points, exponents, transitions, crossovers. The chart draws the estimation error and its parts
/// against n, both logarithmic. `problem` is as given: its α varies.
Result show(const theory::ScalingCurve& curve, const model::Problem& problem, bool draw);

}  // namespace attnlaw::view
