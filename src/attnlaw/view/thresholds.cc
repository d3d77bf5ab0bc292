#include "attnlaw/view/thresholds.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>

#include "attnlaw/view/charts.h"
#include "attnlaw/view/rows.h"

namespace attnlaw::view {
namespace {

using report::Table;
using study::Thresholds;

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

/// The number in a cell; NaN in one that is empty, as those of numbers are that are not finite.
double number_in(const Value& cell) {
  const double* number = std::get_if<double>(&cell);
  return number ? *number : kNan;
}

/// A threshold has names for programs and for people, its fields with α first (none where there is no threshold) and
/// the reason why there is none.
struct Threshold {
  const char* kind;
  const char* title;
  const char* beyond;  ///< what is so above it
  Fields (*fields)(const Thresholds&);
  std::string Thresholds::*reason;

  /// The α of the threshold is NaN where there is none.
  double alpha(const Thresholds& t) const {
    const Fields found = fields(t);
    return found.empty() ? kNan : number_in(found.front().second);
  }
};
constexpr const char* kFitting = "interpolation";
constexpr Threshold kThresholds[] = {
    {"recovery", "recovery", "recovered as λ → 0",
     [](const Thresholds& t) { return t.recovery ? fields_of(*t.recovery) : Fields(); }, &Thresholds::no_recovery},
    {kFitting, kFitting, "labels are not fitted",
     [](const Thresholds& t) { return t.interpolation ? fields_of(*t.interpolation) : Fields(); },
     &Thresholds::no_interpolation},
    {"bayes_recovery", "Bayes recovery", "determined, not recovered",
     [](const Thresholds& t) {
       return t.bayes_recovery ? Fields{{"alpha", *t.bayes_recovery}} : Fields();
     },
     &Thresholds::no_bayes_recovery},
    {"detachment", "detachment", "an upper bulk is apart",
     [](const Thresholds& t) { return t.detachment ? fields_of(*t.detachment) : Fields(); },
     &Thresholds::no_detachment}};

/// Those that were asked for.
std::vector<Threshold> kinds_of(const Thresholds& t) {
  std::vector<Threshold> kinds(std::begin(kThresholds), std::end(kThresholds));
  if (!t.with_detachment()) kinds.pop_back();
  return kinds;
}

constexpr const char* kUnverified = "a count of degrees of freedom, not verified";

/// Says what a threshold is beside its α: "D = 0.2, t = 1.3", why there is none, or what it rests on.
std::string beside(const Thresholds& t, const Threshold& kind) {
  const Fields threshold = kind.fields(t);
  if (threshold.empty()) return t.*kind.reason;
  if (kind.reason == &Thresholds::no_bayes_recovery) return t.bayes_unverified() ? kUnverified : "";
  Fields known(threshold.begin() + 1, threshold.end());
  std::erase_if(known, [](const auto& field) { return std::isnan(number_in(field.second)); });
  return joined(known,
                [](const auto& field) { return fmt::format("{} = {:.6g}", field.first, number_in(field.second)); });
}

bool nowhere(const study::PhaseDiagram& diagram, const Threshold& line) {
  return std::all_of(diagram.lines.begin(), diagram.lines.end(),
                     [&](const Thresholds& t) { return line.fields(t).empty(); });
}

const char* axis_title(study::DiagramVariable variable) {
  return variable == study::DiagramVariable::kappa ? "κ* of the target" : "noise Δ";
}

Table thresholds_table(const Thresholds& t) {
  Table table = headed("Thresholds", {"threshold", "alpha", ""});
  for (const Threshold& threshold : kinds_of(t)) add(table, threshold.title, threshold.alpha(t), beside(t, threshold));
  if (t.interpolation_limit) add(table, "interpolation, noise → 0", *t.interpolation_limit, "");
  return table;
}

Table thresholds_rows(const Thresholds& t) {
  Table table = records({"threshold", "alpha", "D", "t", "a", "upper_mass", "tokens", "K_eff", "reason"});
  for (const Threshold& threshold : kinds_of(t))
    add_row(table,
            {{"threshold", threshold.kind},
             {"tokens", t.tokens},
             {"K_eff", t.observed_scores},
             {"reason", threshold.fields(t).size() > 1 ? "" : beside(t, threshold)}},
            threshold.fields(t));
  if (t.interpolation_limit)
    add_row(table, {{"threshold", "interpolation_limit"},
                    {"alpha", *t.interpolation_limit},
                    {"tokens", t.tokens},
                    {"K_eff", t.observed_scores}});
  return table;
}

// ---- branches ------------------------------------------------------------------------------------------------------

std::vector<Table> continuation_tables(const theory::Continuation& continuation) {
  Table branches = headed("Branches of stable solutions", {"branch", general("from alpha", 5), general("to alpha", 5),
                                                           "lowest at", "integration points"});
  for (const theory::Branch& branch : continuation.branches) {
    const auto& points = branch.points;
    if (points.empty()) continue;
    const auto lowest = std::count_if(points.begin(), points.end(), [](const auto& point) { return point.lowest; });
    add(branches, branch.name, points.front().alpha, points.back().alpha,
        fmt::format("{} of {}", lowest, points.size()), continuation.points);
  }
  Table events = headed("Spinodals and replicon crossings", {"event", "alpha", error_column()});
  for (const theory::Spinodal& spinodal : continuation.spinodals)
    add(events, fmt::format("branch {} ends {}", spinodal.branch, spinodal.upper ? "upwards" : "downwards"),
        spinodal.alpha, 0.5 * spinodal.width);
  for (const double alpha : continuation.replicon_crossings) add(events, "R = 1 on the lowest branch", alpha);
  if (events.rows.empty()) add(events, "none");
  return {branches, events};
}

Table continuation_rows(const theory::Continuation& continuation) {
  Table table = records<theory::BranchPoint>({"kind", "branch"}, {"width"});
  for (const theory::Branch& branch : continuation.branches)
    for (const theory::BranchPoint& point : branch.points)
      add_row(table, {{"kind", "solution"}, {"branch", branch.name}}, point);
  for (const theory::Spinodal& spinodal : continuation.spinodals)
    add_row(table, {{"kind", spinodal.upper ? "upper_spinodal" : "lower_spinodal"}}, spinodal);
  for (const double alpha : continuation.replicon_crossings)
    add_row(table, {{"kind", "replicon_crossing"}, {"alpha", alpha}});
  return table;
}

report::Chart continuation_chart(const theory::Continuation& continuation) {
  report::ErrorsChart chart{
      .title = "Solutions along α",
      .description = "Test and estimation error of every branch of solutions against the number of sequences, alpha.",
      .x = {"α = n/d²", Scale::log, "alpha"},
      .y = {"error", Scale::log}};
  for (const theory::Branch& branch : continuation.branches) {
    report::Series test{"test, " + branch.name}, estimation{"estimation, " + branch.name};
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

std::vector<Table> diagram_tables(const study::PhaseDiagram& diagram) {
  Table table =
      headed("Thresholds along " + study::name(diagram.variable), {general(study::name(diagram.variable), 4)});
  Table absent = headed("Nowhere in the diagram", {"threshold", "why"});
  for (const double value : diagram.values) table.rows.push_back(row(value));
  for (const Threshold& line : kinds_of(diagram.lines.front())) {
    table.columns.push_back(general(line.title));
    for (std::size_t i = 0; i < diagram.lines.size(); ++i) append(table.rows[i], line.alpha(diagram.lines[i]));
    if (nowhere(diagram, line)) add(absent, line.title, diagram.lines.front().*line.reason);
  }
  if (absent.rows.empty()) return {table};
  return {table, absent};
}

Table diagram_rows(const study::PhaseDiagram& diagram) {
  Table table =
      records({"kind", study::name(diagram.variable), "alpha", "train", "test", "estimation", "replicon", "converged"});
  for (std::size_t i = 0; i < diagram.values.size(); ++i)
    for (std::size_t k = 0; k < diagram.alphas.size(); ++k) {
      const auto& [train, test, estimation, replicon, converged] = diagram.at(i, k);
      add(table, "solution", diagram.values[i], diagram.alphas[k], train, test, estimation, replicon, converged);
    }
  for (const Threshold& line : kinds_of(diagram.lines.front()))
    for (std::size_t i = 0; i < diagram.lines.size(); ++i)
      add(table, line.kind, diagram.values[i], line.alpha(diagram.lines[i]));
  return table;
}

report::Chart diagram_chart(const study::PhaseDiagram& diagram) {
  report::HeatMap map{.title = "Test error",
                      .description = fmt::format("Test error over {} and alpha.", study::name(diagram.variable)),
                      .x = {axis_title(diagram.variable), Scale::linear, study::name(diagram.variable)},
                      .y = {"α = n/d²", Scale::log, "alpha"},
                      .value = {"test error", Scale::log, "test"},
                      .x_values = diagram.values,
                      .y_values = diagram.alphas};
  for (const study::DiagramPoint& point : diagram.points) map.values.push_back(point.converged ? point.test : kNan);
  for (const Threshold& line : kinds_of(diagram.lines.front())) {
    if (nowhere(diagram, line)) continue;
    report::HeatMap::Line& drawn = map.lines.emplace_back(
        report::HeatMap::Line{line.title, {}, region_above(line.kind, diagram.problem), region_below(line.kind)});
    for (std::size_t i = 0; i < diagram.lines.size(); ++i)
      drawn.points.push_back({diagram.values[i], line.alpha(diagram.lines[i])});
  }
  if (!map.lines.empty())
    map.description += fmt::format(" Lines: {}.", joined(map.lines, [](const auto& line) { return line.name; }));
  return report::heat_map(map);
}

/// The page has the chart first, then the tables; a table of the terminal has the title of the page beside its own.
void add_page(Result& result, const std::string& title, const char* heading, const std::optional<report::Chart>& chart,
              bool draw) {
  if (draw) result.page = {"Thresholds", title, sections_of(result.tables)};
  if (chart) result.page->sections.insert(result.page->sections.begin(), {heading, "", chart});
  result.tables.front().title += ": " + title;
}

}  // namespace

std::string region_above(std::string_view threshold, const model::Problem& problem) {
  if (threshold == "bayes_recovery" && !problem.penalised()) return "recovered";
  for (const Threshold& line : kThresholds)
    if (threshold == line.kind) return line.beyond;
  return "";
}

std::string region_below(std::string_view threshold) {
  if (threshold == "detachment") return "one bulk";
  return threshold == kFitting ? "labels are fitted" : "target undetermined";
}

Result show(const Thresholds& thresholds, const std::optional<theory::Continuation>& continuation,
            const std::string& title, bool draw) {
  Result result{.tables = {thresholds_table(thresholds)}, .rows = thresholds_rows(thresholds)};
  std::optional<report::Chart> chart;
  if (continuation) {
    for (Table& table : continuation_tables(*continuation)) result.tables.push_back(std::move(table));
    result.rows = continuation_rows(*continuation);
    result.warnings = warnings(*continuation);
    if (draw) chart = continuation_chart(*continuation);
  }
  add_page(result, title, "Branches of solutions", chart, draw);
  return result;
}

Result show(const study::PhaseDiagram& diagram, const std::string& title, bool draw) {
  Result result{.tables = diagram_tables(diagram), .rows = diagram_rows(diagram), .warnings = warnings(diagram)};
  if (std::any_of(diagram.lines.begin(), diagram.lines.end(), [](const auto& t) { return t.bayes_unverified(); }))
    result.warnings.push_back(fmt::format("Bayes recovery with cross-attention is {}.", kUnverified));
  add_page(result, title, "Phase diagram", draw ? std::optional(diagram_chart(diagram)) : std::nullopt, draw);
  return result;
}

}  // namespace attnlaw::view
