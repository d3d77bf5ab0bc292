#include "attnlaw/view/learning_curve.h"

#include <fmt/format.h>

#include "attnlaw/view/charts.h"
#include "attnlaw/view/columns.h"

namespace attnlaw::view {
namespace {

double predicted(const theory::Solution& solution, const study::SharedError& error) {
  return study::prediction_of(solution).*error.predicted;
}

base::Estimate measured(const study::Comparison& point, const study::SharedError& error) {
  return {point.experiment.mean.*error.measured, point.experiment.standard_error.*error.measured};
}

}  // namespace

report::Chart learning_curve_chart(std::span<const theory::Solution> curve, std::span<const study::Comparison> points) {
  report::ErrorsChart chart{
      .title = "Learning curve: theory (lines) and experiment (points)",
      .description = "Train, test and estimation error against the number of sequences per squared dimension, alpha.",
      .x = {"α = n/d²", Scale::log},
      .y = {"error", Scale::log}};
  for (const study::SharedError& error : study::kSharedErrors) {
    const auto line = [&](const auto& s) { return report::Point{s.problem.alpha, predicted(s, error)}; };
    const auto point = [&](const auto& p) { return measured_point(p.experiment.problem.alpha, measured(p, error)); };
    chart.series.push_back({error.name, points_over(curve, line), points_over(points, point)});
  }
  return report::errors_chart(chart);
}

report::Table learning_curve_table(std::span<const theory::Solution> curve, std::span<const study::Comparison> points) {
  report::Table table{"", {general("alpha", 4)}};
  for (const study::SharedError& error : study::kSharedErrors)
    append(table.columns, {general(fmt::format("{} theory", error.name), 4), general("experiment", 4), error_column()});
  auto point = points.begin();
  for (const theory::Solution& solution : curve) {
    Row cells = row(solution.problem.alpha);
    const bool found = point != points.end() && point->experiment.problem.alpha == solution.problem.alpha;
    for (const study::SharedError& error : study::kSharedErrors)
      append(cells, row(predicted(solution, error), found ? row(measured(*point, error)) : Row(2)));
    if (found) ++point;
    table.rows.push_back(std::move(cells));
  }
  return table;
}

}  // namespace attnlaw::view
