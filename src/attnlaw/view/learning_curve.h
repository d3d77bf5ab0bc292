#pragma once
/// These functions show a learning curve with experiments as table and chart.

#include <span>

#include "attnlaw/report/chart.h"
#include "attnlaw/report/table.h"
#include "attnlaw/study/comparison.h"

namespace attnlaw::view {

/// The chart draws train, test and estimation error against α: solutions as lines, comparisons as points.
report::Chart learning_curve_chart(std::span<const theory::Solution> curve, std::span<const study::Comparison> points);
report::Table learning_curve_table(std::span<const theory::Solution> curve, std::span<const study::Comparison> points);

}  // namespace attnlaw::view
