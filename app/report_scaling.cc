#include "report_scaling.h"

#include <fmt/format.h>

#include <algorithm>

#include "columns.h"

namespace attnlaw::app {
namespace {

using report::Cell;
using report::Table;
using theory::Regime;

constexpr Regime kRegimes[] = {Regime::noise_dominated, Regime::noiseless, Regime::parametric};

struct Part {
  const char* name;
  double theory::ErrorParts::*value;
};
constexpr Part kParts[] = {{"unlearned", &theory::ErrorParts::unlearned},
                           {"shrinkage", &theory::ErrorParts::shrinkage},
                           {"misalignment", &theory::ErrorParts::misalignment},
                           {"bulk", &theory::ErrorParts::bulk}};

Table curve_table(const theory::ScalingCurve& curve) {
  Table table{"",
              {general("n", 4), general("estimation", 5), general("slope", 3), general("predicted", 3),
               general("regime"), general("modes")}};
  for (const Part& part : kParts) table.columns.push_back(general(part.name, 3));
  for (const theory::ScalingPoint& point : curve.points) {
    std::vector<Cell> row{point.n,
                          point.solution.errors.estimation,
                          or_nothing(point.slope),
                          or_nothing(point.predicted),
                          theory::name(point.regime),
                          static_cast<long long>(point.recovered)};
    for (const Part& part : kParts) row.emplace_back(point.parts.*part.value);
    table.rows.push_back(std::move(row));
  }
  return table;
}

std::size_t points_of(const theory::ScalingCurve& curve, Regime regime) {
  return static_cast<std::size_t>(std::count_if(curve.points.begin(), curve.points.end(),
                                                [&](const auto& point) { return point.regime == regime; }));
}

Table exponent_table(const theory::ScalingCurve& curve) {
  Table table{"Exponents of the estimation error in n",
              {general("regime"), general("points"), general("fitted", 4), general("predicted", 4)}};
  for (const Regime regime : kRegimes)
    if (const std::size_t points = points_of(curve, regime); points > 0)
      table.rows.push_back({theory::name(regime), static_cast<long long>(points),
                            or_nothing(theory::fitted_exponent(curve, regime)),
                            theory::predicted_exponent(regime, curve.gamma)});
  return table;
}

Table transition_table(const theory::ScalingCurve& curve) {
  Table table{"Modes are recovered at", {general("mode"), general("eigenvalue", 5), general("n", 5)}};
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
  Table table{"",
              {{"kind"},
               {"n"},
               {"alpha"},
               {"lambda"},
               {"train"},
               {"test"},
               {"estimation"},
               {"slope"},
               {"predicted"},
               {"regime"},
               {"recovered"}}};
  for (const Part& part : kParts) table.columns.push_back({part.name});
  table.columns.insert(table.columns.end(), {{"replicon"}, {"converged"}, {"mode"}, {"eigenvalue"}, {"to"}});
  const auto add = [&](std::vector<Cell> row) {
    row.resize(table.columns.size());
    table.rows.push_back(std::move(row));
  };
  for (const theory::ScalingPoint& p : curve.points) {
    std::vector<Cell> row{"point",
                          p.n,
                          p.solution.problem.alpha,
                          p.solution.problem.lambda,
                          p.solution.errors.train,
                          p.solution.errors.test,
                          p.solution.errors.estimation,
                          or_nothing(p.slope),
                          or_nothing(p.predicted),
                          theory::name(p.regime),
                          static_cast<long long>(p.recovered)};
    for (const Part& part : kParts) row.emplace_back(p.parts.*part.value);
    row.push_back(or_nothing(p.solution.diagnostics.replicon));
    row.push_back(yes_or_no(p.solution.diagnostics.converged));
    add(std::move(row));
  }
  for (const Regime regime : kRegimes) {
    if (points_of(curve, regime) == 0) continue;
    std::vector<Cell> row(table.columns.size());
    row[0] = "exponent";
    row[7] = or_nothing(theory::fitted_exponent(curve, regime));
    row[8] = theory::predicted_exponent(regime, curve.gamma);
    row[9] = theory::name(regime);
    add(std::move(row));
  }
  const std::size_t mode = table.columns.size() - 3;
  for (const theory::ModeTransition& transition : curve.transitions) {
    std::vector<Cell> row(table.columns.size());
    row[0] = "transition";
    row[1] = or_nothing(transition.n);
    row[mode] = static_cast<long long>(transition.mode);
    row[mode + 1] = transition.eigenvalue;
    add(std::move(row));
  }
  for (const theory::Crossover& crossover : curve.crossovers) {
    std::vector<Cell> row(table.columns.size());
    row[0] = "crossover";
    row[1] = crossover.n;
    row[9] = theory::name(crossover.from);
    row[mode + 2] = theory::name(crossover.to);
    add(std::move(row));
  }
  return table;
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
  for (const Part& part : kParts) {
    report::Series series{part.name, {}, {}};
    for (const theory::ScalingPoint& point : curve.points) series.theory.push_back({point.n, point.parts.*part.value});
    chart.series.push_back(std::move(series));
  }
  return report::errors_chart(chart);
}

}  // namespace attnlaw::app
