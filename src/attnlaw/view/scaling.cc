#include "attnlaw/view/scaling.h"

#include <fmt/format.h>

#include <algorithm>

#include "attnlaw/base/fields/rows.h"
#include "attnlaw/view/columns.h"
#include "attnlaw/view/rows.h"
#include "attnlaw/view/spectrum.h"

namespace attnlaw::view {
namespace {

using report::Cell;
using report::Table;
using theory::Regime;

constexpr Regime kRegimes[] = {Regime::noise_dominated, Regime::noiseless, Regime::parametric};

Table curve_table(const theory::ScalingCurve& curve) {
  Table table{"",
              {general("n", 4), general("estimation", 5), general("slope", 3), general("predicted", 3),
               general("regime"), general("modes")}};
  for (const std::string& part : base::columns(describe(&curve.points.front().parts)))
    table.columns.push_back(general(part, 3));
  for (const theory::ScalingPoint& point : curve.points) {
    std::vector<Cell> row{point.n,
                          point.solution.errors.estimation,
                          or_nothing(point.slope),
                          or_nothing(point.predicted),
                          theory::name(point.regime),
                          static_cast<long long>(point.recovered)};
    for (auto& [part, cell] : fields_of(point.parts)) row.push_back(cell);
    table.rows.push_back(std::move(row));
  }
  return table;
}

std::size_t points_of(const theory::ScalingCurve& curve, Regime regime) {
  return static_cast<std::size_t>(std::count_if(curve.points.begin(), curve.points.end(),
                                                [&](const auto& point) { return point.regime == regime; }));
}

Table exponent_table(const theory::ScalingCurve& curve) {
  Table table{
      "Exponents of the estimation error in n",
      {general("regime"), general("points"), general("clean points"), general("fitted", 4), general("predicted", 4)}};
  for (const Regime regime : kRegimes)
    if (const std::size_t points = points_of(curve, regime); points > 0)
      table.rows.push_back({theory::name(regime), static_cast<long long>(points),
                            static_cast<long long>(theory::clean_points(curve, regime)),
                            or_nothing(theory::fitted_exponent(curve, regime)),
                            theory::predicted_exponent(regime, curve.gamma)});
  return table;
}

Table transition_table(const theory::ScalingCurve& curve) {
  Table table{"Modes are recovered at",
              {general("mode"), general(spectral_value(curve.points.front().solution.problem), 5), general("n", 5)}};
  for (const theory::ModeTransition& transition : curve.transitions)
    table.rows.push_back({static_cast<long long>(transition.mode), transition.eigenvalue, or_nothing(transition.n)});
  return table;
}

Table crossover_table(const theory::ScalingCurve& curve) {
  Table table{"Crossovers", {general("from"), general("to"), general("n", 4)}};
  for (const theory::Crossover& crossover : curve.crossovers)
    table.rows.push_back({theory::name(crossover.from), theory::name(crossover.to), crossover.n});
  return table;
}

}  // namespace

std::vector<Table> scaling_tables(const theory::ScalingCurve& curve) {
  std::vector<Table> tables{curve_table(curve), exponent_table(curve), transition_table(curve)};
  if (!curve.crossovers.empty()) tables.push_back(crossover_table(curve));
  return tables;
}

Table scaling_rows(const theory::ScalingCurve& curve) {
  const std::string value = spectral_value_id(curve.points.front().solution.problem);
  std::vector<Fields> rows;
  for (const theory::ScalingPoint& point : curve.points) {
    rows.push_back({{"kind", "point"}});
    append(rows.back(), fields_of(point));
  }
  for (const Regime regime : kRegimes)
    if (points_of(curve, regime) > 0)
      rows.push_back({{"kind", "exponent"},
                      {"slope", or_nothing(theory::fitted_exponent(curve, regime))},
                      {"predicted", theory::predicted_exponent(regime, curve.gamma)},
                      {"regime", theory::name(regime)}});
  for (const theory::ModeTransition& transition : curve.transitions)
    rows.push_back({{"kind", "transition"},
                    {"n", or_nothing(transition.n)},
                    {"mode", static_cast<long long>(transition.mode)},
                    {value, transition.eigenvalue}});
  for (const theory::Crossover& crossover : curve.crossovers)
    rows.push_back({{"kind", "crossover"},
                    {"n", crossover.n},
                    {"regime", theory::name(crossover.from)},
                    {"to", theory::name(crossover.to)}});
  std::vector<std::string> columns{"kind"};
  for (const std::string& name : base::columns(describe(&curve.points.front()))) columns.push_back(name);
  columns.insert(columns.end(), {"mode", "to", value});
  return table_of(rows, columns);
}

report::Chart scaling_chart(const theory::ScalingCurve& curve) {
  report::ErrorsChart chart;
  chart.title = "Learning curve and its parts";
  chart.description =
      "Estimation error against the number of sequences n at d = D, and its parts: modes not learned, shrinkage and "
      "misalignment of learned ones, and noise that is fitted.";
  chart.x = {"n", report::Scale::log};
  chart.y = {"estimation error", report::Scale::log};
  report::Series all{"estimation", {}, {}};
  for (const theory::ScalingPoint& point : curve.points)
    all.theory.push_back({point.n, point.solution.errors.estimation});
  chart.series.push_back(std::move(all));
  for (const std::string& part : base::columns(describe(&curve.points.front().parts))) {
    report::Series series{part, {}, {}};
    for (const theory::ScalingPoint& point : curve.points)
      series.theory.push_back({point.n, base::json_of(point.parts)[part].get<double>()});
    chart.series.push_back(std::move(series));
  }
  return report::errors_chart(chart);
}

}  // namespace attnlaw::view
