#include "attnlaw/view/figure/curve.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "attnlaw/base/estimate.h"
#include "attnlaw/base/fields/fields.h"
#include "attnlaw/study/comparison.h"
#include "attnlaw/study/resolve.h"
#include "attnlaw/theory/evidence.h"
#include "attnlaw/view/charts.h"
#include "attnlaw/view/figure/charts.h"
#include "attnlaw/view/figure/items.h"
#include "attnlaw/view/rows.h"
#include "attnlaw/view/solution.h"
#include "attnlaw/view/spectrum.h"
#include "attnlaw/view/verdict.h"

namespace attnlaw::view {
namespace {

using nlohmann::json;
using report::Table;
using study::ChartRequest;
using study::SharedError;

/// So many values along both axes make a map of a plane.
constexpr std::size_t kLeastOfMap = 8;
/// Columns of curves of spectra that are no figures of documents.
constexpr const char* kLargest = "largest_eigenvalue";
constexpr const char* kOutliers = "outliers";
/// More series than these cannot be told apart in one chart.
constexpr std::size_t kMostSeries = 12;

std::vector<Item> items_of(const ProblemCurve& curve, const char* part) {
  ChartRequest request;
  request.parts = {part};
  return view::items_of(curve.study, curve.outcomes, request);
}

/// The figures are those of documents; null where there are none.
json figures_of(const Item& item) { return item.has_figures() ? item.outcome->figures : json(); }

/// The problem of a point with the λ that was found.
model::Problem resolved(const Item& item) {
  const json none;
  const json& figures = item.has_figures() ? item.outcome->figures : none;
  return study::with_found_lambda(item.task->problem, figures.contains("lambda") ? figures["lambda"] : none);
}

std::string status_of(const Item& item) {
  return item.outcome ? std::string(study::name(item.outcome->status)) : "not computed";
}

// ---- experiments at a point -----------------------------------------------------------------------------------------

/// The instances of one point at one d.
struct Measured {
  json coordinates;
  std::vector<Item> instances = {};

  const study::Task& task() const { return *instances.front().task; }

  std::vector<const Item*> known() const {
    std::vector<const Item*> found;
    for (const Item& item : instances)
      if (item.has_figures()) found.push_back(&item);
    return found;
  }
};

std::vector<Measured> measured_of(const ProblemCurve& curve) {
  std::vector<Measured> points;
  for (const Item& item : items_of(curve, kCurveExperiments)) {
    json at = item.entry->coordinates;
    at.erase("instance");
    if (points.empty() || points.back().coordinates != at) points.push_back({at});
    points.back().instances.push_back(item);
  }
  return points;
}

/// The relative differences of the instances that have both figures, and a theory to be relative to.
std::vector<double> relative_differences(const Measured& point, const std::string& name) {
  std::vector<double> differences;
  for (const Item* item : point.known()) {
    const auto found = figure(*item, name), theory = figure(*item, "theory." + name);
    if (found && theory && *theory != 0) differences.push_back(*found / *theory - 1);
  }
  return differences;
}

/// One error of the experiments at a point, with the theory of the targets drawn.
struct MeasuredError {
  base::Estimate experiment, theory, difference;
};

MeasuredError error_of(const Measured& point, const char* name) {
  std::vector<double> measured, predicted;
  for (const Item* item : point.known()) {
    const auto found = figure(*item, name), theory = figure(*item, std::string("theory.") + name);
    if (!found || !theory) continue;
    measured.push_back(*found);
    predicted.push_back(*theory);
  }
  const auto estimate = [](const std::vector<double>& values) {
    constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
    return values.empty() ? base::Estimate{kNone, kNone} : base::estimate_of(values);
  };
  return {estimate(measured), estimate(predicted), estimate(relative_differences(point, name))};
}

std::vector<std::string> error_names(const model::Problem& problem) {
  std::vector<std::string> names;
  for (const SharedError& error : study::kSharedErrors) names.emplace_back(error.name);
  for (const SharedError& error : study::shared_figures(problem)) names.emplace_back(error.name);
  return names;
}

/// The points of a curve of experiments with what was measured there at every d.
std::vector<std::vector<Measured>> sizes_of_points(const ProblemCurve& curve) {
  std::vector<std::vector<Measured>> points;
  std::vector<json> places;
  for (Measured& measured : measured_of(curve)) {
    json place = measured.coordinates;
    place.erase("d");
    const auto at = static_cast<std::size_t>(std::find(places.begin(), places.end(), place) - places.begin());
    if (at == places.size()) places.push_back(std::move(place)), points.emplace_back();
    points[at].push_back(std::move(measured));
  }
  return points;
}

bool trained(const Measured& point) {
  return std::all_of(point.instances.begin(), point.instances.end(), [](const Item& item) {
    return item.outcome && item.outcome->status == study::Outcome::Status::converged;
  });
}

// ---- tables ---------------------------------------------------------------------------------------------------------

void add_axes(const ProblemCurve& curve, Table& table) {
  for (const CurveAxis& axis : curve.axes) table.columns.push_back(general(axis.name, kFigures));
}

Row axis_cells(const ProblemCurve& curve, const json& coordinates) {
  Row cells;
  for (const CurveAxis& axis : curve.axes)
    cells.push_back(coordinates.contains(axis.name) ? cell_of(coordinates[axis.name]) : report::Cell());
  return cells;
}

/// Leaves out columns without a value.
void drop_empty_columns(Table& table) {
  for (std::size_t j = table.columns.size(); j-- > 0;) {
    if (std::any_of(table.rows.begin(), table.rows.end(), [&](const Row& row) { return row[j] != report::Cell(); }))
      continue;
    const auto at = static_cast<std::ptrdiff_t>(j);
    table.columns.erase(table.columns.begin() + at);
    for (Row& row : table.rows) row.erase(row.begin() + at);
  }
}

std::string title_of(const ProblemCurve& curve) {
  std::vector<std::string> varying;
  for (const CurveAxis& axis : curve.axes) varying.push_back(axis.option());
  return describe(curve.problem, varying);
}

/// The figures of the table, by their names in documents, or words for what is no figure there.
std::vector<std::string> columns_of(const ProblemCurve& curve) {
  if (!curve.spectra) return {"train", "test", "estimation", "excess_test", "sign_error", "rank_fraction", "replicon"};
  return {"rank_fraction", "stable_rank", "effective_rank", "nuclear_frobenius",
          kLargest,        kOutliers,     "test",           "replicon"};
}

Value figure_in_table(const Item& item, const std::string& name) {
  if (!item.has_figures() || (name != kLargest && name != kOutliers)) return figure(item, name);
  const json& spectrum = item.outcome->figures.at("spectrum");
  if (name == kOutliers) return spectrum.at("outliers").size();
  const json& edges = spectrum.at("edges");
  return edges.empty() ? 0.0 : std::max(0.0, edges.back().at(1).get<double>());
}

Table theory_table(const ProblemCurve& curve) {
  constexpr int kDigits = 5;
  const std::vector<std::string> columns = columns_of(curve);
  Table table;
  add_axes(curve, table);
  const bool rules =
      std::none_of(curve.axes.begin(), curve.axes.end(), [](const auto& a) { return a.name == "lambda"; }) &&
      !curve.problem.lambda_known();
  if (rules) table.columns.push_back(general("lambda", kDigits));
  const std::vector<Item> items = items_of(curve, kCurveTheory);
  const bool noisy = std::any_of(items.begin(), items.end(), [](const Item& i) { return i.task->problem.noise > 0; });
  for (const std::string& name : columns) {
    table.columns.push_back(general(words(symbol(name)), kDigits));
    if (noisy && name == "test") table.columns.push_back(general(symbol("test_noisy"), kDigits));
  }
  table.columns.push_back(general("status"));
  for (const Item& item : items) {
    Row row = axis_cells(curve, item.entry->coordinates);
    if (rules) append(row, figure(item, "lambda"));
    for (const std::string& name : columns) {
      append(row, figure_in_table(item, name));
      if (noisy && name == "test") append(row, figure(item, "test_noisy"));
    }
    const std::string status = status_of(item);
    append(row, status == "converged" ? Value(kNothing) : Value(status));
    table.rows.push_back(std::move(row));
  }
  drop_empty_columns(table);
  return table;
}

Table experiment_table(const ProblemCurve& curve, const std::vector<Measured>& points, const std::string& error) {
  Table table{sentence(axis_title(error)), {}};
  add_axes(curve, table);
  add_columns(table, {"d", "instances", general("theory", 4), general("experiment", 4), error_column(),
                      percent("difference"), percent("±")});
  for (const Measured& point : points) {
    const MeasuredError found = error_of(point, error.c_str());
    Row row = axis_cells(curve, point.coordinates);
    append(row, view::row(point.task().experiment.d, point.known().size(), found.theory.value, found.experiment,
                          100 * found.difference.value, 100 * found.difference.standard_error));
    table.rows.push_back(std::move(row));
  }
  return table;
}

std::vector<Table> experiment_tables(const ProblemCurve& curve) {
  const std::vector<Measured> points = measured_of(curve);
  std::vector<Table> tables;
  for (const std::string& error : error_names(curve.problem)) {
    if (std::all_of(points.begin(), points.end(),
                    [&](const Measured& p) { return std::isnan(error_of(p, error.c_str()).experiment.value); }))
      continue;
    tables.push_back(experiment_table(curve, points, error));
  }
  return tables;
}

// ---- rows -----------------------------------------------------------------------------------------------------------

/// The axes that are no option of the problem have columns of their own.
Fields rank_field(const ProblemCurve& curve, const json& coordinates) {
  for (const CurveAxis& axis : curve.axes)
    if (axis.name == kRankAxis && coordinates.contains(axis.name))
      return {{axis.name, cell_of(coordinates[axis.name])}};
  return {};
}

Table theory_rows(const ProblemCurve& curve) {
  std::vector<Fields> rows;
  for (const Item& item : items_of(curve, kCurveTheory)) {
    const model::Problem problem = resolved(item);
    json document = figures_of(item);
    Fields row = solution_fields(document, problem, item.task->problem);
    append(row, rank_field(curve, item.entry->coordinates));
    if (curve.spectra)
      for (const char* name : {kLargest, kOutliers})
        row.emplace_back(name, item.has_figures() ? figure_in_table(item, name) : Value(kNothing));
    append(row, {{"status", status_of(item)}});
    rows.push_back(std::move(row));
  }
  return table_of(rows);
}

Table experiment_rows(const ProblemCurve& curve) {
  std::vector<Fields> rows;
  for (const Measured& point : measured_of(curve)) {
    const model::Problem& asked = point.task().problem;
    Fields row = problem_fields(point.known().empty() ? asked : resolved(*point.known().front()), asked);
    append(row, rank_field(curve, point.coordinates));
    append(row, {{"d", point.task().experiment.d}, {"instances", point.known().size()}, {"converged", trained(point)}});
    for (const std::string& name : error_names(asked)) {
      const MeasuredError error = error_of(point, name.c_str());
      append(row, {{name, error.experiment.value},
                   {name + "_standard_error", error.experiment.standard_error},
                   {"theory_" + name, error.theory.value},
                   {name + "_difference", error.difference.value},
                   {name + "_difference_standard_error", error.difference.standard_error}});
    }
    rows.push_back(std::move(row));
  }
  return table_of(rows);
}

// ---- documents ------------------------------------------------------------------------------------------------------

json theory_json(const ProblemCurve& curve) {
  json points = json::array();
  for (const Item& item : items_of(curve, kCurveTheory)) {
    json point = item.has_figures() ? item.outcome->figures : json::object();
    point.erase("lambda");
    point["problem"] = model::to_json(resolved(item));
    point["coordinates"] = item.entry->coordinates;
    point["status"] = status_of(item);
    if (const auto* s = curve.spectra && item.outcome ? item.outcome->array("s") : nullptr)
      point["density"] = {{"s", *s}, {"density", *item.outcome->array("density")}};
    if (item.outcome && !study::message(*item.outcome).empty()) point["message"] = study::message(*item.outcome);
    points.push_back(std::move(point));
  }
  return points;
}

json experiments_json(const ProblemCurve& curve) {
  json points = json::array();
  for (const Measured& measured : measured_of(curve)) {
    const auto known = measured.known();
    json point{{"problem", model::to_json(known.empty() ? measured.task().problem : resolved(*known.front()))},
               {"coordinates", measured.coordinates},
               {"d", measured.task().experiment.d},
               {"instances", known.size()},
               {"converged", trained(measured)}};
    point["coordinates"].erase("d");
    for (const std::string& name : error_names(measured.task().problem)) {
      const MeasuredError error = error_of(measured, name.c_str());
      point["mean"][name] = error.experiment.value;
      point["standard_error"][name] = error.experiment.standard_error;
      point["theory"][name] = error.theory.value;
      point["difference"][name] = base::json_of(error.difference);
    }
    points.push_back(std::move(point));
  }
  return points;
}

// ---- verdict --------------------------------------------------------------------------------------------------------

std::vector<study::DifferencesAt> differences_of(const std::vector<Measured>& sizes, const std::string& error) {
  std::vector<study::DifferencesAt> differences;
  for (const Measured& size : sizes)
    if (auto found = relative_differences(size, error); !found.empty())
      differences.push_back({size.task().experiment.d, std::move(found)});
  return differences;
}

double degrees_of_freedom(std::span<const study::DifferencesAt> sizes) {
  double freedom = 0;
  for (const study::DifferencesAt& size : sizes) freedom += static_cast<double>(size.differences.size()) - 1;
  return freedom;
}

/// Every error at every point, at its single d or taken to 1/d → 0; with the least degrees of freedom of one.
std::vector<NamedDifference> differences_of(const ProblemCurve& curve, double& freedom) {
  std::vector<NamedDifference> named;
  const std::vector<Item> items = items_of(curve, kCurveExperiments);
  const Labels labels(items);
  for (const std::vector<Measured>& sizes : sizes_of_points(curve)) {
    const auto label = [&](const CurveAxis& axis) { return labels(sizes.front().instances.front(), axis.name); };
    const std::string place = joined(curve.axes, label);
    for (const std::string& error : error_names(sizes.front().task().problem)) {
      const std::vector<study::DifferencesAt> found = differences_of(sizes, error);
      const double here = degrees_of_freedom(found);
      study::Extrapolated difference;
      if (sizes.size() == 1 && !found.empty()) {
        static_cast<base::Estimate&>(difference) = base::estimate_of(found.front().differences);
      } else if (found.size() > 1 && here > 0) {
        difference = study::extrapolate_differences(found);
        freedom = std::min(freedom, here);
      } else {
        continue;
      }
      named.push_back({fmt::format("{} at {}", words(error), place), difference});
    }
  }
  return named;
}

json points_json(const ProblemCurve& curve) { return curve.measured() ? experiments_json(curve) : theory_json(curve); }

// ---- warnings -------------------------------------------------------------------------------------------------------

/// How many of the items are no results. An interrupted curve says elsewhere how many were not computed.
void warn_of_gaps(const char* name, const std::vector<Item>& items, bool interrupted, Warnings& warnings) {
  const auto say = [&](auto number, const std::string& what) {
    if (number > 0) warnings.push_back(fmt::format("{}: {} of {} {}", name, number, items.size(), what));
  };
  const Gaps gaps = gaps_of(items);
  if (!interrupted) say(gaps.missing, "were not computed.");
  say(gaps.failed, fmt::format("failed: {}.", gaps.error));
  say(std::count_if(
          items.begin(), items.end(),
          [](const Item& i) { return i.outcome && i.outcome->status == study::Outcome::Status::unconverged; }),
      "DID NOT CONVERGE.");
}

Warnings warnings_of(const ProblemCurve& curve) {
  const std::vector<Item> theory = items_of(curve, kCurveTheory);
  std::vector<double> replicons;
  for (const Item& item : theory)
    if (usable(item)) replicons.push_back(figure(item, "replicon").value_or(0));
  Warnings result = replicon_warnings(replicons, "points of the curve");
  const bool interrupted = !curve.interrupted.empty();
  for (const char* part : {kCurveTheory, kCurveExperiments}) {
    if (part == kCurveExperiments && !curve.measured()) continue;
    warn_of_gaps(part, once(items_of(curve, part)), interrupted, result);
  }
  // Lines that an interruption has ended are not drawn.
  if (curve.line && !interrupted)
    warn_of_gaps("lines", once(view::items_of(*curve.line, curve.line_outcomes, {})), interrupted, result);
  return result;
}

// ---- charts ---------------------------------------------------------------------------------------------------------

std::vector<double> numbers_of(const CurveAxis& axis) {
  std::vector<double> values;
  for (const json& value : axis.values)
    if (value.is_number()) values.push_back(value.get<double>());
  return values;
}

/// An axis is logarithmic where all values are positive and reach over half a decade or more.
bool spans_ratios(std::vector<double> values) {
  constexpr double kLeast = 5;
  if (values.empty()) return false;
  const auto [low, high] = std::minmax_element(values.begin(), values.end());
  return *low > 0 && *high > kLeast * *low;
}

std::vector<double> values_drawn(const ProblemCurve& curve, const std::string& name) {
  std::vector<double> values;
  for (const char* part : {kCurveTheory, kCurveExperiments}) {
    if (part == kCurveExperiments && !curve.measured()) continue;
    for (const Item& item : items_of(curve, part))
      if (const auto value = usable(item) ? figure(item, name) : std::nullopt; value && std::isfinite(*value))
        values.push_back(*value);
  }
  return values;
}

ChartRequest curves_request(const ProblemCurve& curve, std::vector<std::string> values, const std::string& title) {
  ChartRequest request;
  request.title = title;
  request.x = curve.axes.back().name;
  request.log_x = spans_ratios(numbers_of(curve.axes.back()));
  request.log_y = true;
  for (const std::string& name : values) {
    const std::vector<double> drawn = values_drawn(curve, name);
    request.log_y = request.log_y && spans_ratios(drawn);
  }
  request.values = std::move(values);
  request.ratios = curve.measured();
  request.text = curve.line_note;
  return request;
}

ChartRequest map_request(const ProblemCurve& curve, const std::string& value) {
  const std::size_t last = curve.axes.size() - 1;
  ChartRequest request;
  request.kind = ChartRequest::Kind::map;
  request.title = sentence(axis_title(value));
  request.x = curve.axes[last - 1].name;
  request.y = curve.axes[last].name;
  request.log_x = spans_ratios(numbers_of(curve.axes[last - 1]));
  request.log_y = spans_ratios(numbers_of(curve.axes[last]));
  request.values = {value};
  request.parts = {kCurveTheory};
  return request;
}

bool makes_map(const std::vector<CurveAxis>& axes) {
  return axes.size() == 2 && axes.front().numeric() && axes.front().values.size() >= kLeastOfMap;
}

std::size_t series_of(const std::vector<CurveAxis>& axes) {
  std::size_t series = 1;
  for (std::size_t i = 0; i + 1 < axes.size(); ++i) series *= axes[i].values.size();
  return series;
}

/// Has the theory of the study stand where its line has points.
void put_line(const ProblemCurve& curve, study::Study& drawn, study::Outcomes& outcomes) {
  study::Part part = curve.line->parts.front();
  for (study::PartEntry& entry : part.entries) entry.task += drawn.tasks.size();
  drawn.parts.front() = std::move(part);
  drawn.tasks.insert(drawn.tasks.end(), curve.line->tasks.begin(), curve.line->tasks.end());
  outcomes.insert(outcomes.end(), curve.line_outcomes.begin(), curve.line_outcomes.end());
}

/// The errors that some point has.
std::vector<std::string> errors_drawn(const ProblemCurve& curve) {
  std::vector<std::string> names;
  for (const char* name : {"train", "test", "estimation", "sign_error"})
    if (!values_drawn(curve, name).empty()) names.emplace_back(name);
  return names;
}

/// How far spectra have collapsed: all measures in one chart along a single axis, else one chart for each.
std::vector<ChartRequest> collapse_charts(const ProblemCurve& curve) {
  const std::vector<std::string> measures{"rank_fraction", "stable_rank", "effective_rank"};
  std::vector<ChartRequest> requests;
  if (curve.axes.size() == 1) {
    requests.push_back(curves_request(curve, measures, "Collapse of the trained spectrum"));
    requests.back().y_title = "share of d";
  } else {
    for (const std::string& name : measures)
      requests.push_back(curves_request(curve, {name}, sentence(axis_title(name))));
  }
  for (ChartRequest& request : requests) request.log_y = false;
  return requests;
}

/// The densities along the last axis, one before the other: a section for all values of the other axes together.
std::vector<report::Section> ridge_sections(const ProblemCurve& curve) {
  const CurveAxis& axis = curve.axes.back();
  const std::vector<Item> items = items_of(curve, kCurveTheory);
  const Labels labels(items);
  const std::size_t length = axis.values.size();
  std::vector<report::Section> sections;
  for (std::size_t first = 0; first + length <= items.size(); first += length) {
    std::string title = "Trained spectra";
    for (std::size_t i = 0; i + 1 < curve.axes.size(); ++i)
      title += (i == 0 ? ": " : ", ") + labels(items[first], curve.axes[i].name);
    report::RidgeChart chart{.title = "Densities along " + symbol(axis.name),
                             .description = sentence(fmt::format("density of the {}s of the trained S for each {}.",
                                                                 spectral_value(curve.problem), axis_title(axis.name))),
                             .value = spectral_value(curve.problem),
                             .along = {axis_title(axis.name), Scale::linear, axis.name}};
    for (std::size_t i = first; i < first + length; ++i) {
      const Item& item = items[i];
      if (!usable(item) || !item.outcome->array("s")) continue;
      const json& at = item.entry->coordinates.at(axis.name);
      chart.ridges.push_back({cell_of(at), text_of(at, 3),
                              points(*item.outcome->array("s"), *item.outcome->array("density")),
                              figure(item, "zero_mass").value_or(0), labels.subject(item)});
    }
    if (!chart.ridges.empty()) sections.push_back({title, "", report::ridge_chart(chart)});
  }
  return sections;
}

std::vector<ChartRequest> charts_of(const ProblemCurve& curve) {
  if (curve.spectra) return collapse_charts(curve);
  std::vector<ChartRequest> requests;
  const std::vector<std::string> errors = errors_drawn(curve);
  if (errors.empty()) return requests;
  const bool plane = makes_map(curve.axes);
  if (curve.axes.size() == 1)
    return {curves_request(curve, errors, curve.measured() ? "Theory and experiment" : "Errors")};
  for (const std::string& error : errors)
    requests.push_back(plane ? map_request(curve, error) : curves_request(curve, {error}, sentence(axis_title(error))));
  return requests;
}

report::Page page_of(const ProblemCurve& curve, const std::vector<Table>& tables, Warnings& warnings) {
  const CurveAxis& last = curve.axes.back();
  report::Page page{sentence(fmt::format("{} along {}",
                                         curve.spectra      ? "trained spectra"
                                         : curve.measured() ? "theory and experiment"
                                                            : "theory",
                                         symbol(last.name))),
                    title_of(curve)};
  if (const std::string judged = verdict(curve); !judged.empty()) page.lead += ". " + judged;
  study::Study drawn = curve.study;
  study::Outcomes outcomes = curve.outcomes;
  if (curve.line) put_line(curve, drawn, outcomes);
  drawn.charts = charts_of(curve);
  const std::size_t series = series_of(curve.axes);
  if (series > kMostSeries && !drawn.charts.empty() && drawn.charts.front().kind == ChartRequest::Kind::curves) {
    drawn.charts.clear();
    warnings.push_back(
        fmt::format("Not drawn: {} curves cannot be told apart in one chart (at most {}).", series, kMostSeries));
  }
  page.input = curve.study_text;
  page.input_name = "study.toml";
  if (curve.spectra && series <= kMostSeries) page.sections = ridge_sections(curve);
  for (report::Section& section : figure_charts(drawn, outcomes).sections) page.sections.push_back(std::move(section));
  if (page.sections.empty() && series <= kMostSeries) warnings.push_back("Not drawn: no point has a result.");
  for (const Table& table : tables) {
    report::Section& section = page.sections.emplace_back(section_of(table));
    if (section.heading.empty()) section.heading = "Numbers";
  }
  return page;
}

}  // namespace

bool CurveAxis::numeric() const {
  return std::all_of(values.begin(), values.end(), [](const json& value) { return value.is_number(); });
}

bool draws_lines(const std::vector<CurveAxis>& axes) {
  return !axes.empty() && axes.back().numeric() && !makes_map(axes) && series_of(axes) <= kMostSeries;
}

bool ProblemCurve::measured() const { return study.parts.size() > 1; }

bool ProblemCurve::converged() const {
  return std::all_of(outcomes.begin(), outcomes.end(), [](const auto& outcome) {
    return outcome && outcome->status == study::Outcome::Status::converged;
  });
}

base::Evidence ProblemCurve::evidence() const {
  if (measured()) return base::Evidence::simulated;
  base::Evidence weakest = base::Evidence::theorem;
  for (const study::PlannedTask& planned : study.tasks)
    weakest = std::max(weakest, theory::evidence(planned.task.problem));
  return weakest;
}

const base::Description& describe(const CurveAxis*) {
  using A = CurveAxis;
  static const base::Description description{
      "what varies",
      {base::field("name", &A::name, {.doc = "an option of the problem, or kappa of its target"}),
       base::field("values", &A::values, {.doc = "in their order"})}};
  return description;
}

const base::Description& describe(const ProblemCurve*) {
  using C = ProblemCurve;
  static const base::Description description{
      "a curve: problems along options with several values",
      {base::custom<C>("problem", base::type_of<model::Problem>(), [](const C& curve) { return curve.shared; }, nullptr,
                       {.doc = "as given, without what varies"}),
       base::field("axes", &C::axes, {.doc = "what varies, the fastest last"}),
       base::custom<C>("points", base::type_of<std::vector<json>>(), points_json, nullptr,
                       {.doc = "of a curve: coordinates, status, problem and figures of every point; with experiments "
                               "d, mean, standard_error, theory on the targets drawn, and difference"}),
       base::figure("converged", &C::converged, {.doc = "of a curve: every point was computed and can be used"})}};
  return description;
}

std::string verdict(const ProblemCurve& curve) {
  if (!curve.measured()) return {};
  if (std::any_of(curve.outcomes.begin(), curve.outcomes.end(), [](const auto& outcome) { return !outcome; }))
    return "No verdict: not every point was computed.";
  if (!curve.converged()) return kNoVerdict;
  const auto points = sizes_of_points(curve);
  double freedom = std::numeric_limits<double>::infinity();
  const std::vector<NamedDifference> differences = differences_of(curve, freedom);
  const std::vector<Measured>& sizes = points.front();
  if (sizes.size() == 1) return verdict_at(sizes.front().task().experiment.d, differences);
  return verdict_of_limits(differences, sizes.size(), points.size(), freedom);
}

Result show(const ProblemCurve& curve, bool draw) {
  Result result;
  result.note = verdict(curve);
  result.tables = curve.measured() ? experiment_tables(curve) : std::vector{theory_table(curve)};
  result.rows = Rows([curve] { return curve.measured() ? experiment_rows(curve) : theory_rows(curve); });
  result.warnings = warnings_of(curve);
  if (draw) result.page = page_of(curve, result.tables, result.warnings);
  if (!result.tables.empty()) {
    std::string& title = result.tables.front().title;
    title = title_of(curve) + (title.empty() ? "" : "\n\n" + title);
  }
  result.converged = curve.converged();
  result.interrupted = curve.interrupted;
  return result;
}

}  // namespace attnlaw::view
