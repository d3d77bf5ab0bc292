#pragma once
/// How theory and experiments read as tables and charts.

#include <span>

#include "attnlaw/report/chart.h"
#include "attnlaw/report/table.h"
#include "attnlaw/study/comparison.h"
#include "attnlaw/study/spectrum_comparison.h"

namespace attnlaw::app {

/// "T = 2, softmax, α = 0.3, λ = 0.05, target wishart:0.5": what a heading says about a problem.
std::string describe(const model::Problem& problem);

std::vector<report::Table> solution_tables(const theory::Solution& solution);
/// One row with every figure of the solution.
report::Table solution_row(const theory::Solution& solution);
/// Lines on what a reader must know before trusting the numbers: lack of convergence, instability. Empty if nothing.
std::string warnings(const theory::Solution& solution);

/// The same for trained students.
std::string warnings(const experiment::Experiment& experiment);
/// Non-empty lines together.
std::string lines(const std::vector<std::string>& texts);

/// Theory beside experiment, one table per d, and the extrapolation if there are several d.
std::vector<report::Table> comparison_tables(std::span<const study::Comparison> comparisons);
/// One row per instance.
report::Table instance_rows(std::span<const study::Comparison> comparisons);
/// Relative differences against 1/d.
report::Chart difference_chart(std::span<const study::Comparison> comparisons);

/// Train, test and estimation error against α: solutions as lines, comparisons as points.
report::Chart learning_curve_chart(std::span<const theory::Solution> curve, std::span<const study::Comparison> points);
report::Table learning_curve_table(std::span<const theory::Solution> curve, std::span<const study::Comparison> points);

/// The trained spectrum: law, and measured eigenvalues if there are any.
report::Chart spectrum_chart(const theory::Solution& solution, const theory::TrainedLaw::Curve& density,
                             const study::SpectrumComparison* measured);
report::Table spectrum_table(const theory::Solution& solution, const study::SpectrumComparison* measured);

}  // namespace attnlaw::app
