#pragma once
/// This file shows the learning curve of a power-law target, and the map of its regimes.

#include <string>
#include <vector>

#include "attnlaw/report/chart.h"
#include "attnlaw/theory/scaling.h"
#include "attnlaw/view/result.h"

namespace attnlaw::view {

/// The tables are the curve, its fitted exponents, transitions of modes, and crossovers if there are any. Rows are told
/// apart by `kind`: points, exponents, transitions, crossovers. The chart draws the estimation error and its parts
/// against n, both logarithmic. `problem` is as given: its α varies.
Result show(const theory::ScalingCurve& curve, const model::Problem& problem, bool draw);

/// The table has a letter for the regime of every point, λ downwards and n to the right, and the lines of collapse and
/// of the edge of the noise below it. Rows are those of all curves and, told apart by `kind`, of the two lines. The
/// charts draw the regimes as areas and the estimation error over the plane, with both lines.
Result show(const theory::RegimeMap& map, const model::Problem& problem, bool draw);

/// Makes regimes, by their names for every cell in the order of the values of a map, its areas; cells without a name
/// are blank.
void fill_regimes(const std::vector<std::string>& names, report::HeatMap& map);

/// Returns the line of a map of regimes of each kind, without points yet.
report::HeatMap::Line collapse_line();
report::HeatMap::Line edge_line();

}  // namespace attnlaw::view
