#include "attnlaw/view/thresholds.h"

#include <fmt/format.h>

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>

#include "attnlaw/base/fields/rows.h"
#include "attnlaw/view/columns.h"
#include "attnlaw/view/rows.h"

namespace attnlaw::view {
namespace {

using report::Cell;
using report::Table;

/// One threshold: its name, its α and what it is beside that, or why there is none.
struct Entry {
  const char* name;
  std::optional<double> alpha;
  std::string beside;
};

std::vector<Entry> entries(const study::Thresholds& t) {
  std::vector<Entry> result{{"recovery", std::nullopt, t.no_recovery},
                            {"interpolation", std::nullopt, t.no_interpolation},
                            {"Bayes recovery", t.bayes_recovery, t.no_bayes_recovery}};
  if (t.recovery)
    result[0] = {"recovery", t.recovery->alpha, fmt::format("D = {:.6g}, t = {:.6g}", t.recovery->D, t.recovery->t)};
  if (t.interpolation)
    result[1] = {"interpolation", t.interpolation->alpha, fmt::format("a = {:.6g}", t.interpolation->a)};
  return result;
}

}  // namespace

Table thresholds_table(const study::Thresholds& t) {
  Table table{"Thresholds", {general("threshold"), general("alpha"), general("")}};
  for (const Entry& entry : entries(t))
    table.rows.push_back({entry.name, entry.alpha ? Cell(*entry.alpha) : Cell(), entry.beside});
  return table;
}

Table thresholds_rows(const study::Thresholds& t) {
  Table table{"", {{"threshold"}, {"alpha"}, {"D"}, {"t"}, {"a"}, {"tokens"}, {"K_eff"}, {"reason"}}};
  const Cell none, T = static_cast<long long>(t.tokens), K = static_cast<long long>(t.observed_scores);
  const auto& [recovery, interpolation] = std::tie(t.recovery, t.interpolation);
  table.rows = {{"recovery", recovery ? Cell(recovery->alpha) : none, recovery ? Cell(recovery->D) : none,
                 recovery ? Cell(recovery->t) : none, none, T, K, t.no_recovery},
                {"interpolation", interpolation ? Cell(interpolation->alpha) : none, none, none,
                 interpolation ? Cell(interpolation->a) : none, T, K, t.no_interpolation},
                {"bayes_recovery", t.bayes_recovery ? Cell(*t.bayes_recovery) : none, none, none, none, T, K,
                 t.no_bayes_recovery}};
  return table;
}

// ---- branches ------------------------------------------------------------------------------------------------------

std::vector<Table> continuation_tables(const theory::Continuation& continuation) {
  Table branches{
      "Branches of stable solutions",
      {general("branch"), general("from alpha", 5), general("to alpha", 5), general("lowest at"), general("points")}};
  for (const theory::Branch& branch : continuation.branches) {
    if (branch.points.empty()) continue;
    const auto lowest =
        std::count_if(branch.points.begin(), branch.points.end(), [](const auto& point) { return point.lowest; });
    branches.rows.push_back({branch.name, branch.points.front().alpha, branch.points.back().alpha,
                             fmt::format("{} of {}", lowest, branch.points.size()),
                             static_cast<long long>(continuation.points)});
  }
  Table events{"Spinodals and replicon crossings", {general("event"), general("alpha"), general("±", kErrorFigures)}};
  for (const theory::Spinodal& spinodal : continuation.spinodals)
    events.rows.push_back({fmt::format("branch {} ends {}", spinodal.branch, spinodal.upper ? "upwards" : "downwards"),
                           spinodal.alpha, 0.5 * spinodal.width});
  for (const double alpha : continuation.replicon_crossings)
    events.rows.push_back({"R = 1 on the lowest branch", alpha, Cell()});
  if (events.rows.empty()) events.rows.push_back({"none", Cell(), Cell()});
  branches.columns.back().name = "integration points";
  return {branches, events};
}

Table continuation_rows(const theory::Continuation& continuation) {
  std::vector<Fields> rows;
  for (const theory::Branch& branch : continuation.branches)
    for (const theory::BranchPoint& point : branch.points) {
      rows.push_back({{"kind", "solution"}, {"branch", branch.name}});
      append(rows.back(), fields_of(point));
    }
  for (const theory::Spinodal& spinodal : continuation.spinodals)
    rows.push_back({{"kind", spinodal.upper ? "upper_spinodal" : "lower_spinodal"},
                    {"branch", spinodal.branch},
                    {"alpha", spinodal.alpha},
                    {"width", spinodal.width}});
  for (const double alpha : continuation.replicon_crossings)
    rows.push_back({{"kind", "replicon_crossing"}, {"alpha", alpha}});
  std::vector<std::string> columns{"kind", "branch"};
  for (const std::string& name : base::columns(base::detail::description_of<theory::BranchPoint>()))
    columns.push_back(name);
  columns.emplace_back("width");
  return table_of(rows, columns);
}

report::Chart continuation_chart(const theory::Continuation& continuation) {
  report::ErrorsChart chart;
  chart.title = "Solutions along α";
  chart.description = "Test and estimation error of every branch of solutions against the number of sequences, alpha.";
  chart.x = {"α = n/d²", report::Scale::log};
  chart.y = {"error", report::Scale::log};
  for (const theory::Branch& branch : continuation.branches) {
    report::Series test{"test, " + branch.name, {}, {}}, estimation{"estimation, " + branch.name, {}, {}};
    for (const theory::BranchPoint& point : branch.points) {
      test.theory.push_back({point.alpha, point.errors.test});
      if (!std::isnan(point.errors.estimation)) estimation.theory.push_back({point.alpha, point.errors.estimation});
    }
    chart.series.push_back(std::move(test));
    if (!estimation.theory.empty()) chart.series.push_back(std::move(estimation));
  }
  return report::errors_chart(chart);
}

// ---- phase diagram -------------------------------------------------------------------------------------------------

namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

/// The lines of a diagram: what each is called, and its α at every value of the variable (NaN: none there).
struct ThresholdLine {
  const char* kind;
  const char* title;
  double (*alpha)(const study::Thresholds&);
  std::string study::Thresholds::*reason;
};
constexpr ThresholdLine kLines[] = {
    {"recovery", "recovery", [](const study::Thresholds& t) { return t.recovery ? t.recovery->alpha : kNan; },
     &study::Thresholds::no_recovery},
    {"interpolation", "interpolation",
     [](const study::Thresholds& t) { return t.interpolation ? t.interpolation->alpha : kNan; },
     &study::Thresholds::no_interpolation},
    {"bayes_recovery", "Bayes recovery", [](const study::Thresholds& t) { return t.bayes_recovery.value_or(kNan); },
     &study::Thresholds::no_bayes_recovery}};

bool nowhere(const study::PhaseDiagram& diagram, const ThresholdLine& line) {
  return std::all_of(diagram.lines.begin(), diagram.lines.end(),
                     [&](const study::Thresholds& t) { return std::isnan(line.alpha(t)); });
}

const char* axis_title(study::DiagramVariable variable) {
  return variable == study::DiagramVariable::kappa ? "κ* of the target" : "noise Δ";
}

}  // namespace

std::vector<Table> diagram_tables(const study::PhaseDiagram& diagram) {
  Table table{"Thresholds along " + study::name(diagram.variable), {general(study::name(diagram.variable), 4)}};
  Table absent{"Nowhere in the diagram", {general("threshold"), general("why")}};
  for (const ThresholdLine& line : kLines) table.columns.push_back(general(line.title));
  for (std::size_t i = 0; i < diagram.lines.size(); ++i) {
    std::vector<Cell> row{diagram.values[i]};
    for (const ThresholdLine& line : kLines) row.push_back(or_nothing(line.alpha(diagram.lines[i])));
    table.rows.push_back(std::move(row));
  }
  for (const ThresholdLine& line : kLines)
    if (nowhere(diagram, line)) absent.rows.push_back({line.title, diagram.lines.front().*line.reason});
  if (absent.rows.empty()) return {table};
  return {table, absent};
}

Table diagram_rows(const study::PhaseDiagram& diagram) {
  Table table{"",
              {{"kind"},
               {study::name(diagram.variable)},
               {"alpha"},
               {"train"},
               {"test"},
               {"estimation"},
               {"replicon"},
               {"converged"}}};
  for (std::size_t i = 0; i < diagram.values.size(); ++i)
    for (std::size_t k = 0; k < diagram.alphas.size(); ++k) {
      const study::DiagramPoint& point = diagram.at(i, k);
      table.rows.push_back({"solution", diagram.values[i], diagram.alphas[k], or_nothing(point.errors.train),
                            point.errors.test, or_nothing(point.errors.estimation), or_nothing(point.replicon),
                            yes_or_no(point.converged)});
    }
  for (const ThresholdLine& line : kLines)
    for (std::size_t i = 0; i < diagram.lines.size(); ++i)
      table.rows.push_back({line.kind, diagram.values[i], or_nothing(line.alpha(diagram.lines[i])), Cell(), Cell(),
                            Cell(), Cell(), Cell()});
  return table;
}

report::Chart diagram_chart(const study::PhaseDiagram& diagram) {
  report::HeatMap map;
  map.title = "Test error";
  map.description = fmt::format("Test error over {} and alpha, with the lines of recovery and interpolation.",
                                study::name(diagram.variable));
  map.x = {axis_title(diagram.variable)};
  map.y = {"α = n/d²", report::Scale::log};
  map.value = {"test error", report::Scale::log};
  map.x_values = diagram.values;
  map.y_values = diagram.alphas;
  for (const study::DiagramPoint& point : diagram.points)
    map.values.push_back(point.converged ? point.errors.test : kNan);
  for (const ThresholdLine& line : kLines) {
    report::HeatMap::Line drawn{line.title, {}};
    for (std::size_t i = 0; i < diagram.lines.size(); ++i)
      drawn.points.push_back({diagram.values[i], line.alpha(diagram.lines[i])});
    map.lines.push_back(std::move(drawn));
  }
  return report::heat_map(map);
}

}  // namespace attnlaw::view
