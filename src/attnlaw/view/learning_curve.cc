#include "attnlaw/view/learning_curve.h"

#include <fmt/format.h>

#include "attnlaw/view/columns.h"

namespace attnlaw::view {

using report::Cell;
using report::Table;
using study::kSharedErrors;
using study::SharedError;

report::Chart learning_curve_chart(std::span<const theory::Solution> curve, std::span<const study::Comparison> points) {
  report::ErrorsChart chart;
  chart.title = "Learning curve: theory (lines) and experiment (points)";
  chart.description = "Train, test and estimation error against the number of sequences per squared dimension, alpha.";
  chart.x = {"α = n/d²", report::Scale::log};
  chart.y = {"error", report::Scale::log};
  for (const SharedError& error : kSharedErrors) {
    report::Series series{error.name, {}, {}};
    for (const theory::Solution& solution : curve)
      series.theory.push_back({solution.problem.alpha, study::prediction_of(solution).*error.predicted});
    for (const study::Comparison& point : points)
      series.experiment.push_back({point.experiment.problem.alpha, point.experiment.mean.*error.measured,
                                   point.experiment.standard_error.*error.measured});
    chart.series.push_back(std::move(series));
  }
  return report::errors_chart(chart);
}

Table learning_curve_table(std::span<const theory::Solution> curve, std::span<const study::Comparison> points) {
  Table table{"", {general("alpha", 4)}};
  for (const SharedError& error : kSharedErrors) {
    table.columns.push_back(general(fmt::format("{} theory", error.name), 4));
    table.columns.push_back(general("experiment", 4));
    table.columns.push_back(general("±", kErrorFigures));
  }
  auto point = points.begin();
  for (const theory::Solution& solution : curve) {
    std::vector<Cell> row{solution.problem.alpha};
    const bool measured = point != points.end() && point->experiment.problem.alpha == solution.problem.alpha;
    for (const SharedError& error : kSharedErrors) {
      row.emplace_back(study::prediction_of(solution).*error.predicted);
      row.push_back(measured ? Cell(point->experiment.mean.*error.measured) : Cell());
      row.push_back(measured ? Cell(point->experiment.standard_error.*error.measured) : Cell());
    }
    if (measured) ++point;
    table.rows.push_back(std::move(row));
  }
  return table;
}

}  // namespace attnlaw::view
