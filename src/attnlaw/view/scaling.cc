#include "attnlaw/view/scaling.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <span>
#include <string_view>

#include "attnlaw/view/charts.h"
#include "attnlaw/view/rows.h"
#include "attnlaw/view/solution.h"
#include "attnlaw/view/spectrum.h"

namespace attnlaw::view {
namespace {

using report::Table;
using theory::Regime;

/// Whether there is a penalty of its own at every n.
bool lambda_varies(const theory::ScalingCurve& curve) {
  const double first = curve.points.front().lambda;
  return std::any_of(curve.points.begin(), curve.points.end(), [&](const theory::ScalingPoint& point) {
    return std::isfinite(point.lambda) && point.lambda != first;
  });
}

Table curve_table(const theory::ScalingCurve& curve) {
  const bool with_lambda = lambda_varies(curve);
  Table table = headed("", {general("n", 4)});
  if (with_lambda) table.columns.push_back(general("λ", 4));
  add_columns(table, {general("estimation", 5), general("slope", 3), general("predicted", 3), "regime", "modes",
                      general("a", 3), general("t", 3)});
  for (const std::string& part : base::columns(base::detail::description_of<theory::ErrorParts>()))
    table.columns.push_back(general(part, 3));
  for (const theory::ScalingPoint& point : curve.points)
    add(table, point.n, with_lambda ? Row{point.lambda} : Row{}, point.solution.errors.estimation, point.slope,
        point.predicted, point.regime, point.learned, point.effective.noise, point.effective.threshold,
        without_rounding(cells(point.parts), point.solution.errors.estimation));
  return table;
}

/// 1/2 is predicted of the edge and of the best λ.
Table lambda_table(const theory::ScalingCurve& curve) {
  Table table = headed("Exponent of λ in n", {general("fitted", 4), general("predicted", 4)});
  add(table, theory::fitted_penalty_exponent(curve), theory::predicted_penalty_growth(curve));
  return table;
}

/// Says how a test error is made of the estimation error.
Table test_table(const theory::ScalingCurve& curve, const char* title, double theory::Errors::*error,
                 theory::TestParts theory::ScalingPoint::*parts) {
  Table table =
      headed(fmt::format("{} = floor + price · estimation + amplitude", title), {general("n", 4), general("test", 5)});
  for (const std::string& part : base::columns(base::detail::description_of<theory::TestParts>()))
    table.columns.push_back(general(part, 4));
  for (const theory::ScalingPoint& point : curve.points)
    add(table, point.n, point.solution.errors.*error,
        without_rounding(cells(point.*parts), point.solution.errors.*error));
  return table;
}

/// Returns the regimes there are, each with the number of points that it rules.
std::vector<std::pair<Regime, std::size_t>> regimes_of(std::span<const theory::ScalingCurve> curves) {
  std::vector<std::pair<Regime, std::size_t>> regimes;
  for (const Regime regime : theory::ruling_regimes()) {
    const auto rules = [&](const theory::ScalingPoint& point) { return point.regime == regime; };
    std::ptrdiff_t points = 0;
    for (const theory::ScalingCurve& curve : curves)
      points += std::count_if(curve.points.begin(), curve.points.end(), rules);
    if (points > 0) regimes.emplace_back(regime, points);
  }
  return regimes;
}

Table exponent_table(const theory::ScalingCurve& curve) {
  Table table = headed("Exponents of the estimation error in n",
                       {"regime", "points", "clean points", general("fitted", 4), general("predicted", 4)});
  for (const auto& [regime, points] : regimes_of({&curve, 1}))
    add(table, regime, points, theory::clean_points(curve, regime), theory::fitted_exponent(curve, regime),
        theory::predicted_exponent(curve, regime));
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

bool noisy(const theory::ScalingCurve& curve) { return curve.points.front().solution.problem.noise > 0; }

std::vector<Table> tables_of(const theory::ScalingCurve& curve) {
  std::vector<Table> tables{curve_table(curve)};
  if (lambda_varies(curve)) tables.push_back(lambda_table(curve));
  tables.push_back(exponent_table(curve));
  tables.push_back(test_table(curve, "Test error", &theory::Errors::test, &theory::ScalingPoint::test_parts));
  if (noisy(curve))
    tables.push_back(test_table(curve, "Test error on noisy labels", &theory::Errors::test_noisy,
                                &theory::ScalingPoint::noisy_parts));
  tables.push_back(transition_table(curve));
  if (!curve.crossovers.empty()) tables.push_back(crossover_table(curve));
  return tables;
}

Table rows_of(const theory::ScalingCurve& curve) {
  const std::string value = spectral_value_id(curve.points.front().solution.problem);
  Table table = records<theory::ScalingPoint>({"kind"}, {"mode", "to", value});
  for (const theory::ScalingPoint& point : curve.points) add_row(table, {{"kind", "point"}}, point);
  for (const auto& [regime, points] : regimes_of({&curve, 1}))
    add_row(table, {{"kind", "exponent"},
                    {"slope", theory::fitted_exponent(curve, regime)},
                    {"predicted", theory::predicted_exponent(curve, regime)},
                    {"regime", regime}});
  if (lambda_varies(curve))
    add_row(table, {{"kind", "penalty_exponent"},
                    {"slope", theory::fitted_penalty_exponent(curve)},
                    {"predicted", theory::predicted_penalty_growth(curve)}});
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

/// The letter of a regime on the map.
std::string_view letter(Regime regime) {
  // In the order of the regimes.
  static constexpr std::string_view kLetters[] = {"C", "L", "S", "N", "F", "O", "I", "U", "P", "·"};
  return kLetters[static_cast<std::size_t>(regime)];
}

const std::vector<theory::ScalingPoint>& points_of(const theory::RegimeMap& map) { return map.curves.front().points; }

Table map_table(const theory::RegimeMap& map) {
  Table table = headed("", {general("λ", 4), "regimes, n to the right"});
  for (std::size_t i = 0; i < map.lambda.size(); ++i) {
    std::string letters;
    for (const theory::ScalingPoint& point : map.curves[i].points) letters += letter(point.regime);
    add(table, map.lambda[i], letters);
  }
  return table;
}

Table legend_table(const theory::RegimeMap& map) {
  Table table = headed("Regimes of the map", {"", "regime", "points", general("predicted exponent in n", 4)});
  for (const auto& [regime, points] : regimes_of(map.curves))
    add(table, std::string(letter(regime)), regime, points,
        theory::predicted_exponent(regime, map.curves.front().gamma));
  return table;
}

Table lines_table(const theory::RegimeMap& map) {
  Table table =
      headed("Boundaries", {general("n", 4), general("collapse above λ", 4), general("edge of the noise λ", 4)});
  for (std::size_t i = 0; i < points_of(map).size(); ++i) add(table, points_of(map)[i].n, map.collapse[i], map.edge[i]);
  return table;
}

Table penalty_table(const theory::RegimeMap& map) {
  Table table = headed("Exponents of the estimation error in λ",
                       {general("n", 4), "regime", "clean points", general("fitted", 4), general("predicted", 4)});
  for (const theory::PenaltyFit& fit : map.penalty_fits) add(table, cells(fit));
  return table;
}

Table map_rows(const theory::RegimeMap& map) {
  Table table = records<theory::ScalingPoint>({"kind"}, {});
  for (const theory::ScalingCurve& curve : map.curves)
    for (const theory::ScalingPoint& point : curve.points) add_row(table, {{"kind", "point"}}, point);
  for (std::size_t i = 0; i < points_of(map).size(); ++i)
    for (const auto& [kind, line] : {std::pair("collapse", &map.collapse), std::pair("edge", &map.edge)})
      add_row(table, {{"kind", kind}, {"n", points_of(map)[i].n}, {"lambda", (*line)[i]}});
  for (const theory::PenaltyFit& fit : map.penalty_fits)
    add_row(table, {{"kind", "penalty_fit"},
                    {"n", fit.n},
                    {"slope", fit.fitted},
                    {"predicted", fit.predicted},
                    {"regime", fit.regime}});
  return table;
}

constexpr const char* kLines =
    "Nothing is learned above the line of collapse, and noise is fitted below the edge of the noise.";

/// The plane of n and λ with its lines, λ upwards, and no cells yet.
report::HeatMap plane_of(const theory::RegimeMap& map) {
  report::HeatMap plane{.title = {},
                        .description = {},
                        .x = {"n", Scale::log},
                        .y = {"λ", Scale::log, "lambda"},
                        .value = {},
                        .x_values = {},
                        .y_values = {map.lambda.rbegin(), map.lambda.rend()}};
  report::HeatMap::Line collapse = collapse_line(), edge = edge_line();
  for (std::size_t i = 0; i < points_of(map).size(); ++i) {
    const double n = points_of(map)[i].n;
    plane.x_values.push_back(n);
    collapse.points.push_back({n, map.collapse[i]}), edge.points.push_back({n, map.edge[i]});
  }
  plane.lines = {std::move(collapse), std::move(edge)};
  return plane;
}

/// Calls `visit` with every point of a map, in the order of the cells of its plane.
template <class Visit>
void for_each_cell(const theory::RegimeMap& map, const Visit& visit) {
  for (std::size_t i = 0; i < points_of(map).size(); ++i)
    for (auto curve = map.curves.rbegin(); curve != map.curves.rend(); ++curve) visit(curve->points[i]);
}

report::Chart error_map(const theory::RegimeMap& map) {
  report::HeatMap drawn = plane_of(map);
  drawn.title = "Estimation error over n and λ";
  drawn.description = fmt::format("Estimation error over the number of sequences n and the penalty λ. {}", kLines);
  drawn.value = {"estimation error", Scale::log, "estimation"};
  for_each_cell(map, [&](const theory::ScalingPoint& point) {
    const bool converged = point.solution.diagnostics.converged;
    drawn.values.push_back(converged ? point.solution.errors.estimation : std::numeric_limits<double>::quiet_NaN());
  });
  return report::heat_map(drawn);
}

report::Chart regime_chart(const theory::RegimeMap& map) {
  report::HeatMap drawn = plane_of(map);
  drawn.title = "Regimes over n and λ";
  drawn.description =
      fmt::format("Which law rules the error over the number of sequences n and the penalty λ. {}", kLines);
  drawn.value = {"regime", Scale::linear, "regime"};
  std::vector<std::string> regimes;
  for_each_cell(map, [&](const theory::ScalingPoint& point) {
    regimes.push_back(point.solution.diagnostics.converged ? theory::name(point.regime) : std::string());
  });
  fill_regimes(regimes, drawn);
  return report::heat_map(drawn);
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

void fill_regimes(const std::vector<std::string>& names, report::HeatMap& map) {
  map.values.assign(names.size(), std::numeric_limits<double>::quiet_NaN());
  for (const auto& [regime, name] : names_table(Regime{})) {
    if (std::find(names.begin(), names.end(), name) == names.end()) continue;
    for (std::size_t i = 0; i < names.size(); ++i)
      if (names[i] == name) map.values[i] = static_cast<double>(map.categories.size());
    map.categories.emplace_back(name);
  }
}

report::HeatMap::Line collapse_line() { return {"collapse", {}}; }

report::HeatMap::Line edge_line() { return {"edge of the noise", {}}; }

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

Result show(const theory::RegimeMap& map, const model::Problem& problem, bool draw) {
  Result result{.tables = {map_table(map), legend_table(map), lines_table(map)}, .rows = map_rows(map)};
  if (!map.penalty_fits.empty()) result.tables.push_back(penalty_table(map));
  for (std::size_t i = 0; i < map.curves.size(); ++i)
    for (const std::string& line : warnings_of(map.curves[i]))
      result.warnings.push_back(fmt::format("lambda = {:.4g}: {}", map.lambda[i], line));
  const std::string title = describe(problem, {"alpha", "lambda"});
  if (draw) {
    result.page = {"Regimes of a power-law target", title, sections_of(result.tables)};
    result.page->sections.front().heading = "Regimes";
    result.page->sections.front().chart = regime_chart(map);
    result.page->sections.insert(result.page->sections.begin() + 1,
                                 {.heading = "Estimation error", .chart = error_map(map)});
  }
  result.tables.front().title = "Regimes: " + title;
  return result;
}

}  // namespace attnlaw::view
