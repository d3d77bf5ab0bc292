#include "attnlaw/view/scaling.h"

#include <algorithm>

#include "attnlaw/view/charts.h"
#include "attnlaw/view/rows.h"
#include "attnlaw/view/solution.h"
#include "attnlaw/view/spectrum.h"

namespace attnlaw::view {
namespace {

using report::Table;
using theory::Regime;

constexpr Regime kRegimes[] = {Regime::noise_dominated, Regime::noiseless, Regime::parametric};

Table curve_table(const theory::ScalingCurve& curve) {
  Table table = headed(
      "", {general("n", 4), general("estimation", 5), general("slope", 3), general("predicted", 3), "regime", "modes"});
  for (const std::string& part : base::columns(base::detail::description_of<theory::ErrorParts>()))
    table.columns.push_back(general(part, 3));
  for (const theory::ScalingPoint& point : curve.points)
    add(table, point.n, point.solution.errors.estimation, point.slope, point.predicted, point.regime, point.recovered,
        cells(point.parts));
  return table;
}

/// Returns the regimes there are, each with the number of points that it rules.
std::vector<std::pair<Regime, std::size_t>> regimes_of(const theory::ScalingCurve& curve) {
  std::vector<std::pair<Regime, std::size_t>> regimes;
  for (const Regime regime : kRegimes) {
    const auto rules = [&](const theory::ScalingPoint& point) { return point.regime == regime; };
    const auto points = std::count_if(curve.points.begin(), curve.points.end(), rules);
    if (points > 0) regimes.emplace_back(regime, points);
  }
  return regimes;
}

Table exponent_table(const theory::ScalingCurve& curve) {
  Table table = headed("Exponents of the estimation error in n",
                       {"regime", "points", "clean points", general("fitted", 4), general("predicted", 4)});
  for (const auto& [regime, points] : regimes_of(curve))
    add(table, regime, points, theory::clean_points(curve, regime), theory::fitted_exponent(curve, regime),
        theory::predicted_exponent(regime, curve.gamma));
  return table;
}

Table transition_table(const theory::ScalingCurve& curve) {
  Table table = headed("Modes are recovered at",
                       {"mode", general(spectral_value(curve.points.front().solution.problem), 5), general("n", 5)});
  for (const theory::ModeTransition& transition : curve.transitions) add(table, cells(transition));
  return table;
}

Table crossover_table(const theory::ScalingCurve& curve) {
  Table table = headed("Crossovers", {"from", "to", general("n", 4)});
  for (const theory::Crossover& crossover : curve.crossovers) add(table, cells(crossover));
  return table;
}

std::vector<Table> tables_of(const theory::ScalingCurve& curve) {
  std::vector<Table> tables{curve_table(curve), exponent_table(curve), transition_table(curve)};
  if (!curve.crossovers.empty()) tables.push_back(crossover_table(curve));
  return tables;
}

Table rows_of(const theory::ScalingCurve& curve) {
  const std::string value = spectral_value_id(curve.points.front().solution.problem);
  Table table = records<theory::ScalingPoint>({"kind"}, {"mode", "to", value});
  for (const theory::ScalingPoint& point : curve.points) add_row(table, {{"kind", "point"}}, point);
  for (const auto& [regime, points] : regimes_of(curve))
    add_row(table, {{"kind", "exponent"},
                    {"slope", theory::fitted_exponent(curve, regime)},
                    {"predicted", theory::predicted_exponent(regime, curve.gamma)},
                    {"regime", regime}});
  for (const theory::ModeTransition& transition : curve.transitions)
    add_row(table, {{"kind", "transition"}, {value, transition.eigenvalue}}, transition);
  for (const theory::Crossover& crossover : curve.crossovers)
    add_row(table, {{"kind", "crossover"}, {"regime", crossover.from}}, crossover);
  return table;
}

report::Chart chart_of(const theory::ScalingCurve& curve) {
  report::ErrorsChart chart{
      .title = "Learning curve and its parts",
      .description =
          "Estimation error against the number of sequences n at d = D, and its parts: modes not learned, shrinkage "
          "and misalignment of learned ones, and noise that is fitted.",
      .x = {"n", Scale::log},
      .y = {"estimation error", Scale::log}};
  const auto add_series = [&](const std::string& name, const auto& error) {
    chart.series.push_back({name, points_over(curve.points, [&](const auto& point) {
                              return report::Point{point.n, error(point)};
                            })});
  };
  add_series("estimation", [](const theory::ScalingPoint& point) { return point.solution.errors.estimation; });
  for (const std::string& part : base::columns(base::detail::description_of<theory::ErrorParts>()))
    add_series(part, [&](const theory::ScalingPoint& point) { return base::json_of(point.parts)[part].get<double>(); });
  return report::errors_chart(chart);
}

Warnings warnings_of(const theory::ScalingCurve& curve) {
  std::vector<theory::Solution> solutions;
  std::vector<double> n;
  for (const theory::ScalingPoint& point : curve.points) {
    solutions.push_back(point.solution);
    n.push_back(point.n);
  }
  return warnings(solutions, "n", n);
}

}  // namespace

Result show(const theory::ScalingCurve& curve, const model::Problem& problem, bool draw) {
  Result result{.tables = tables_of(curve), .rows = rows_of(curve), .warnings = warnings_of(curve)};
  const std::string title = describe(problem, {"alpha"});
  if (draw) {
    result.page = {"Learning curve of a power-law target", title, sections_of(result.tables)};
    result.page->sections.front().heading = "Learning curve";
    result.page->sections.front().chart = chart_of(curve);
  }
  result.tables.front().title = "Learning curve: " + title;
  return result;
}

}  // namespace attnlaw::view
