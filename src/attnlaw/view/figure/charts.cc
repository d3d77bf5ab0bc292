#include "attnlaw/view/figure/charts.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <stdexcept>

#include "attnlaw/base/counted.h"
#include "attnlaw/base/estimate.h"
#include "attnlaw/base/json_text.h"
#include "attnlaw/model/custom_penalty.h"
#include "attnlaw/study/spectrum_comparison.h"
#include "attnlaw/theory/optimal_lambda.h"
#include "attnlaw/view/charts.h"
#include "attnlaw/view/columns.h"
#include "attnlaw/view/figure/items.h"
#include "attnlaw/view/rows.h"
#include "attnlaw/view/scaling.h"
#include "attnlaw/view/spectrum.h"
#include "attnlaw/view/thresholds.h"

namespace attnlaw::view {
namespace {

using nlohmann::json;
using report::Scale;
using study::ChartRequest;
using study::TaskKind;

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

Scale scale(bool log) { return log ? Scale::log : Scale::linear; }

report::Axis axis(const std::string& title, const std::string& name, bool log) {
  return {title.empty() ? axis_title(name) : title, scale(log), name};
}

/// The figures of a `thresholds` document that a chart draws as lines.
const std::vector<std::string>& lines_of(const ChartRequest& request) {
  return request.lines.empty() ? study::threshold_names() : request.lines;
}

// ---- curves --------------------------------------------------------------------------------------------------------

/// Returns x of a point of a scaling curve.
std::optional<double> scaling_position(const json& figures, const json& point, const std::string& x) {
  if (x == "n/d") return point.at("n").get<double>() / figures.at("dimension").get<double>();
  return find_number(point, x);
}

/// Returns the predicted exponent at every point that has one; regimes are separate pieces.
std::vector<report::Point> predicted_slopes(const json& figures, const std::string& x_name) {
  std::vector<report::Point> guide;
  std::string regime;
  for (const json& point : figures.at("points")) {
    if (point.at("regime") != regime && !regime.empty()) guide.push_back({kNan, kNan});
    regime = point.at("regime");
    const auto x = scaling_position(figures, point, x_name), y = find_number(point, "predicted");
    if (x && y) guide.push_back({*x, *y});
  }
  return guide;
}

/// Returns the power law through points first … last − 1, which are of one regime: it has their exponent and their mean
/// height. It is empty where there is no exponent, or no height of two points.
std::vector<report::Point> power_law(const json& figures, std::size_t first, std::size_t last, const std::string& x) {
  const json& points = figures.at("points");
  const auto exponent = find_number(points[first], "predicted");
  if (!exponent) return {};
  double height = 0, count = 0;
  for (std::size_t i = first; i < last; ++i)
    if (const auto error = find_number(points[i], "estimation"); error && *error > 0) {
      height += std::log(*error) - *exponent * std::log(points[i].at("n").get<double>());
      ++count;
    }
  std::vector<report::Point> line;
  for (std::size_t i = first; count >= 2 && i < last; ++i)
    if (const auto at = scaling_position(figures, points[i], x))
      line.push_back({*at, std::exp(height / count + *exponent * std::log(points[i].at("n").get<double>()))});
  return line;
}

/// Returns a power law through every stretch of one regime.
std::vector<report::Point> power_laws(const json& figures, const std::string& x) {
  std::vector<report::Point> guide;
  const json& points = figures.at("points");
  for (std::size_t first = 0; first < points.size();) {
    std::size_t last = first;
    while (last < points.size() && points[last].at("regime") == points[first].at("regime")) ++last;
    if (!guide.empty()) guide.push_back({kNan, kNan});
    const std::vector<report::Point> line = power_law(figures, first, last, x);
    guide.insert(guide.end(), line.begin(), line.end());
    first = last;
  }
  return guide;
}

/// A curve is a series with what goes into it.
struct Curve {
  report::Series series;
  std::set<std::size_t> tasks = {};  ///< those that are in it: parts may share tasks
  /// What instances measured, and what the theory says of the target of each.
  struct Samples {
    std::vector<double> measured = {}, predicted = {};
  };
  /// They stand by x and subject: there is one subject for all of a point, unless x is a figure.
  std::map<std::pair<double, json>, Samples> samples = {};

  /// It is empty if no result has a number for it, e.g. the training error of a posterior mean.
  bool empty() const { return series.theory.empty() && samples.empty(); }

  /// Returns what was measured over the theory of each target.
  report::Series ratios() const {
    report::Series ratios{.name = series.name, .keys = series.keys, .group = series.group};
    for (const auto& [at, found] : samples) {
      std::vector<double> values;
      for (std::size_t i = 0; i < found.predicted.size() && found.predicted.size() == found.measured.size(); ++i)
        if (found.predicted[i] > 0) values.push_back(found.measured[i] / found.predicted[i]);
      if (!values.empty()) ratios.experiment.push_back(measured_point(at.first, base::estimate_of(values)));
    }
    return ratios;
  }

  /// Returns the series with means over instances and their standard errors. Lines go by x; a break stays at its x.
  report::Series drawn() const {
    report::Series drawn = series;
    for (const auto& [at, found] : samples) {
      report::Point& point = drawn.experiment.emplace_back(measured_point(at.first, base::estimate_of(found.measured)));
      if (found.predicted.size() == found.measured.size()) point.own_theory = base::estimate_of(found.predicted).value;
    }
    std::stable_sort(drawn.theory.begin(), drawn.theory.end(), [](const auto& a, const auto& b) { return a.x < b.x; });
    return drawn;
  }
};

/// Returns the words along an axis that has no number; none if it has one.
std::vector<std::string> words_along(const std::string& axis, const std::vector<Item>& items) {
  std::vector<std::string> words;
  for (const Item& item : items) {
    const json at = place(item, axis);
    if (at.is_number() || item.task->kind == TaskKind::scaling) return {};
    if (!at.is_string()) continue;
    const auto word = at.get<std::string>();
    if (std::find(words.begin(), words.end(), word) == words.end()) words.push_back(word);
  }
  return words;
}

/// Collects points into series, which appear in the order of their first result.
class Curves {
 public:
  Curves(const ChartRequest& request, const std::vector<Item>& items)
      : request_(request), by_(series_axes(request, items)), labels_(items), words_(words_along(request.x, items)) {
    for (const std::string& value : request.values)
      for (const Item& item : items)
        if (!is_rule(item)) curve(item, value);
    for (const Item& item : items) add(item);
  }

  report::ErrorsChart chart() const {
    const std::vector<std::string>& values = request_.values;
    const std::string y = values.size() == 1 ? axis_title(values.front()) : joined(values, symbol);
    report::ErrorsChart chart{
        .title = request_.title,
        .description = sentence(fmt::format("{} against {}.", joined(values, axis_title), axis_title(request_.x))),
        .x = axis(request_.x_title, request_.x, request_.log_x && words_.empty()),
        .y = {request_.y_title.empty() ? y : request_.y_title, scale(request_.log_y)},
        .rules = rules_,
        .guide_title = values == std::vector<std::string>{"slope"} ? "predicted exponents"
                                                                   : "power laws with the predicted exponents"};
    chart.x.words = words_;
    for (const Curve& curve : curves_)
      if (!curve.empty()) chart.series.push_back(curve.drawn());
    return chart;
  }

  /// The series of experiments over the theory of their own targets, instance by instance.
  std::vector<report::Series> ratios() const {
    std::vector<report::Series> series;
    for (const Curve& curve : curves_)
      if (report::Series found = curve.ratios(); !found.experiment.empty()) series.push_back(std::move(found));
    return series;
  }

  std::vector<std::string> empty_series() const {
    std::vector<std::string> names;
    for (const Curve& curve : curves_)
      if (curve.empty()) names.push_back(curve.series.name);
    return names;
  }

 private:
  /// Thresholds are vertical lines where α is x, in whatever unit.
  bool is_rule(const Item& item) const {
    return item.task->kind == TaskKind::thresholds && ratio_unit(*item.task, request_.x);
  }

  /// Words stand at their places in the order in which they come.
  std::optional<double> position_along_x(const Item& item) const {
    if (words_.empty()) return position(item, request_.x);
    const auto found = std::find(words_.begin(), words_.end(), text_of(place(item, request_.x), 0));
    return found == words_.end() ? std::nullopt : std::optional(static_cast<double>(found - words_.begin()));
  }

  /// What the samples of a point share: all but the axis along which each takes its best.
  json subject_of(const Item& item) const {
    json document = subject(*item.task);
    if (!request_.best_over.empty()) document["problem"].erase(request_.best_over);
    return document;
  }

  std::string series_name(const Item& item, const std::string& value) const { return name_by(by_, item, value); }

  /// Experiments differ in these where their theory is one: they share its colour.
  std::string group_name(const Item& item, const std::string& value) const {
    std::vector<std::string> by = by_;
    std::erase_if(by, [](const auto& axis) {
      return axis == "d" || axis == "instance" || axis == "trainer" || axis == "outputs";
    });
    return by.size() < by_.size() ? name_by(by, item, value) : "";
  }

  std::string name_by(const std::vector<std::string>& axes, const Item& item, const std::string& value) const {
    std::vector<std::string> words;
    for (const std::string& axis : axes)
      if (const std::string word = labels_(item, axis); !word.empty()) words.push_back(word);
    if (request_.values.size() > 1 || words.empty()) words.push_back(symbol(value));
    return fmt::format("{}", fmt::join(words, ", "));
  }

  /// Returns the curve of a figure of an item, made if there is none.
  Curve& curve(const Item& item, const std::string& value) {
    json key{value};
    for (const std::string& axis : by_) key.push_back(coordinate(item, axis));
    const auto [at, added] = index_.try_emplace(std::move(key), curves_.size());
    if (added) {
      curves_.push_back(
          {{.name = series_name(item, value), .keys = keys_of(item, value), .group = group_name(item, value)}});
    } else {
      // What varies along the line, as the target does with κ*, does not tell it from others.
      const auto here = keys_of(item, value);
      std::erase_if(curves_[at->second].series.keys,
                    [&](const auto& old) { return std::find(here.begin(), here.end(), old) == here.end(); });
    }
    return curves_[at->second];
  }

  /// What a series is of, for who reads its numbers: its figure, what tells it apart, λ and the target.
  std::vector<std::pair<std::string, report::Cell>> keys_of(const Item& item, const std::string& value) const {
    std::vector<std::pair<std::string, report::Cell>> keys{{"figure", value}};
    std::vector<std::string> names = by_;
    for (const char* name : {"lambda", "target"})
      if (request_.x != name && std::find(names.begin(), names.end(), name) == names.end()) names.emplace_back(name);
    for (const std::string& name : names) keys.emplace_back(name, cell_of(coordinate(item, name)));
    return keys;
  }

  void add(const Item& item) {
    if (is_rule(item)) return add_rules(item);
    for (const std::string& value : request_.values) {
      Curve& line = curve(item, value);
      if (!line.tasks.insert(item.entry->task).second) continue;
      if (item.task->kind == TaskKind::scaling)
        add_scaling(item, value, line.series);
      else
        add_point(item, value, line);
    }
  }

  void add_point(const Item& item, const std::string& value, Curve& line) const {
    const auto x = position_along_x(item), y = usable(item) ? figure(item, value) : std::nullopt;
    if (!x) return;
    if (item.task->kind == TaskKind::experiment) {
      if (!y) return;
      Curve::Samples& samples = line.samples[{*x, subject_of(item)}];
      samples.measured.push_back(*y);
      if (const auto own = figure(item, "theory." + value)) samples.predicted.push_back(*own);
    } else if (y || !usable(item)) {
      line.series.theory.push_back({*x, y.value_or(kNan)});  // NaN breaks the line
    }
  }

  void add_scaling(const Item& item, const std::string& value, report::Series& line) const {
    if (!item.has_figures()) return;
    const json& figures = item.outcome->figures;
    for (const json& point : figures.at("points")) {
      const auto x = scaling_position(figures, point, request_.x), y = find_number(point, value);
      if (x && y) line.theory.push_back({*x, point.at("converged").get<bool>() ? *y : kNan});
    }
    if (value == "estimation") line.guide = power_laws(figures, request_.x);
    if (value == "slope") line.guide = predicted_slopes(figures, request_.x);
  }

  void add_rules(const Item& item) {
    for (const std::string& threshold : lines_of(request_)) {
      const auto alpha = usable(item) ? figure(item, threshold) : std::nullopt;
      if (!alpha) continue;
      std::string text = symbol(threshold);
      for (const std::string& axis : item.part->axes) text += ", " + labels_(item, axis);
      rules_.push_back({text, *alpha * *ratio_unit(*item.task, request_.x)});
    }
  }

  const ChartRequest& request_;
  std::vector<std::string> by_;
  Labels labels_;
  std::vector<std::string> words_;  ///< along x, where there is no number
  std::vector<Curve> curves_;
  std::map<json, std::size_t> index_;  ///< of a curve, by figure and coordinates
  std::vector<report::Rule> rules_;
};

/// Says what the experiments of a chart are: d, instances, trainer.
std::string experiments_note(const std::vector<Item>& items) {
  std::map<std::pair<int, std::string>, std::map<std::string, int>> instances;
  for (const Item& item : items)
    if (item.task->kind == TaskKind::experiment && item.has_figures()) {
      json at = item.entry->coordinates;
      at.erase("instance");
      ++instances[{item.task->experiment.d, experiment::name(item.task->experiment.trainer)}]
                 [item.part->name + base::json_text(at)];
    }
  std::vector<std::string> words;
  for (const auto& [kind, points] : instances) {
    int most = 0;
    for (const auto& [at, count] : points) most = std::max(most, count);
    words.push_back(fmt::format("d = {}, {}, {}", kind.first, base::counted(most, "instance"), kind.second));
  }
  return words.empty() ? "" : fmt::format("Experiments: {}.", fmt::join(words, "; "));
}

/// The table says where modes are recovered, beside a chart of scaling curves.
std::optional<report::Table> transitions_table(const std::vector<Item>& items) {
  report::Table table =
      headed("Modes are recovered at", {general("γ", 4), "mode", general("eigenvalue", 5), general("n", 5)});
  for (const Item& item : items) {
    if (item.task->kind != TaskKind::scaling || !item.has_figures()) continue;
    table.columns[2].name = spectral_value(item.task->problem);
    for (const json& mode : item.outcome->figures.at("transitions"))
      if (const auto n = find_number(mode, "n"))
        add(table, item.outcome->figures.at("gamma").get<double>(), mode.at("mode").get<long long>(),
            mode.at("eigenvalue").get<double>(), n);
  }
  if (table.rows.empty()) return std::nullopt;
  return table;
}

/// The experiments of a chart over the theory of their own targets: where that holds they lie around 1.
std::optional<report::Section> ratios_section(const ChartRequest& request, const Curves& curves) {
  std::vector<report::Series> series = curves.ratios();
  if (series.empty()) return std::nullopt;
  report::Series one{.name = "theory"};
  for (const report::Series& measured : series)
    for (const report::Point& point : measured.experiment) one.theory.push_back({point.x, 1});
  std::sort(one.theory.begin(), one.theory.end(), [](const auto& p, const auto& q) { return p.x < q.x; });
  series.push_back(std::move(one));
  report::ErrorsChart chart = curves.chart();
  chart.title = request.title + ": experiment over theory";
  chart.description = sentence(fmt::format("{}, as measured over the theory of the very targets, against {}.",
                                           joined(request.values, axis_title), axis_title(request.x)));
  chart.y = {"experiment/theory", Scale::linear, "ratio"};
  chart.series = std::move(series);
  chart.rules.clear();
  report::Chart made = report::errors_chart(chart);
  // Whatever a measured error is compared with is 1 of itself.
  const auto& columns = made.data.columns;
  const auto theory = static_cast<std::size_t>(
      std::find_if(columns.begin(), columns.end(), [](const auto& column) { return column.name == "theory"; }) -
      columns.begin());
  for (auto& row : made.data.rows)
    if (row.at(theory) == report::Cell()) row.at(theory) = 1.0;
  return report::Section{chart.title, "", std::move(made)};
}

std::vector<report::Section> curves_sections(const ChartRequest& request, const std::vector<Item>& all) {
  const std::vector<Item> items = best_over(request.best_over, all);
  const Curves curves(request, items);
  report::Section section{request.title, request.text};
  if (const report::ErrorsChart chart = curves.chart(); !chart.series.empty())
    section.chart = report::errors_chart(chart);
  else if (gaps_of(items).complete())
    throw std::invalid_argument(
        fmt::format("no result has {} at a number {}", fmt::join(request.values, " or "), request.x));
  if (const auto& values = request.values; std::find(values.begin(), values.end(), "recovered") != values.end())
    section.table = transitions_table(items);
  if (const auto empty = curves.empty_series(); !empty.empty())
    section.text += fmt::format("\n\nWithout numbers: {}.", fmt::join(empty, "; "));
  std::vector<report::Section> sections{std::move(section)};
  if (request.ratios)
    if (auto ratios = ratios_section(request, curves)) sections.push_back(std::move(*ratios));
  return sections;
}

// ---- spectra -------------------------------------------------------------------------------------------------------

bool has_density(const Item& item) {
  return item.task->kind == TaskKind::theory && item.task->density && usable(item) &&
         item.outcome->array("density") != nullptr;
}

/// Returns the eigenvalues of all experiments on the problem of `theory`.
std::vector<double> measured_eigenvalues(const Item& theory, const std::vector<Item>& items) {
  const json problem = model::to_json(theory.task->problem);
  std::vector<double> eigenvalues;
  for (const Item& item : once(items)) {
    if (item.task->kind != TaskKind::experiment || !item.has_figures()) continue;
    const std::vector<double>* found = item.outcome->array("eigenvalues");
    if (found && model::to_json(item.task->problem) == problem)
      eigenvalues.insert(eigenvalues.end(), found->begin(), found->end());
  }
  std::sort(eigenvalues.begin(), eigenvalues.end());
  return eigenvalues;
}

report::Chart spectrum_of(const Item& theory, const std::vector<Item>& items, const std::string& title,
                          const report::Subject& subject, bool square_roots) {
  report::SpectrumChart chart{.title = title,
                              .value = spectral_value(theory.task->problem),
                              .density = points(*theory.outcome->array("s"), *theory.outcome->array("density")),
                              .predicted_zero_mass = figure(theory, "zero_mass").value_or(0),
                              .eigenvalues = measured_eigenvalues(theory, items),
                              .subject = subject};
  for (const json& outlier : theory.outcome->figures.at("spectrum").at("outliers"))
    chart.outliers.push_back(outlier.at("eigenvalue"));
  chart.zero_tolerance = chart.predicted_zero_mass > 0 ? study::zero_tolerance(chart.eigenvalues) : 0;
  if (square_roots) {
    take_square_roots(chart, theory::SquareRoots{});
    chart.value = "√" + chart.value;
  }
  return trained_spectrum_chart(std::move(chart));
}

std::vector<report::Section> spectrum_sections(const ChartRequest& request, const std::vector<Item>& items) {
  std::vector<report::Section> sections;
  const Labels labels(items);
  for (const Item& item : items) {
    if (!has_density(item)) continue;
    const report::Subject subject = labels.subject(item);
    const std::string title = item.part->axes.empty() ? request.title : request.title + ": " + subject.name;
    sections.push_back(
        {title, sections.empty() ? request.text : "", spectrum_of(item, items, title, subject, request.square_roots)});
  }
  return sections;
}

// ---- maps ----------------------------------------------------------------------------------------------------------

/// Maps are drawn of these.
bool is_mapped(const Item& item) { return item.task->kind == TaskKind::theory || item.task->kind == TaskKind::scaling; }

std::vector<double> values_along(const std::vector<Item>& items, const std::string& axis) {
  std::vector<double> values;
  for (const Item& item : items) {
    if (!is_mapped(item)) continue;
    const std::vector<double> at = places(item, axis);
    values.insert(values.end(), at.begin(), at.end());
  }
  std::sort(values.begin(), values.end());
  values.erase(std::unique(values.begin(), values.end()), values.end());
  return values;
}

/// One cell of a map, with its figure or the name of its regime.
struct MapCell {
  double x = 0, y = 0;
  std::optional<double> figure;
  std::string regime;
};

/// The cells of one item: that of a theory, or one for each n of a scaling curve.
std::vector<MapCell> cells_of(const ChartRequest& request, const Item& item) {
  const std::vector<double> x = places(item, request.x), y = places(item, request.y);
  if (!is_mapped(item) || x.empty() || y.empty()) return {};
  const std::string& value = request.values.at(0);
  if (item.task->kind == TaskKind::theory) {
    if (!usable(item)) return {};
    return {{x[0], y[0], figure(item, value), {}}};
  }
  std::vector<MapCell> cells;
  for (std::size_t i = 0; item.has_figures() && i < std::max(x.size(), y.size()); ++i) {
    const json& point = item.outcome->figures.at("points").at(i);
    if (!point.at("converged").get<bool>()) continue;
    cells.push_back({x[i % x.size()], y[i % y.size()], find_number(point, value), point.at("regime")});
  }
  return cells;
}

std::size_t index_of(const std::vector<double>& ascending, double value) {
  return static_cast<std::size_t>(std::lower_bound(ascending.begin(), ascending.end(), value) - ascending.begin());
}

/// An axis is logarithmic where all values are positive and reach over a decade.
Scale scale_of(const std::vector<double>& values) {
  constexpr double kDecade = 10;
  double lowest = std::numeric_limits<double>::infinity(), highest = 0;
  for (const double value : values) {
    if (std::isnan(value)) continue;
    lowest = std::min(lowest, value), highest = std::max(highest, value);
  }
  return scale(lowest > 0 && highest > kDecade * lowest);
}

bool is_ratio(const std::vector<Item>& items, const std::string& axis) {
  return !items.empty() && ratio_unit(*items.front().task, axis).has_value();
}

/// The lines are thresholds in α, in the unit of its axis, against the other axis of the map; there are none if α is no
/// axis.
std::vector<report::HeatMap::Line> threshold_lines(const ChartRequest& request, const std::vector<Item>& items) {
  if (!is_ratio(items, request.x) && !is_ratio(items, request.y)) return {};
  const bool across = is_ratio(items, request.x);
  const std::string &other = across ? request.y : request.x, &ratio = across ? request.x : request.y;
  std::vector<report::HeatMap::Line> lines;
  for (const std::string& threshold : lines_of(request)) {
    report::HeatMap::Line line{
        symbol(threshold), {}, region_above(threshold, items.front().task->problem), region_below(threshold)};
    for (const Item& item : items) {
      const auto at = position(item, other);
      if (item.task->kind != TaskKind::thresholds || !at) continue;
      const double alpha = (usable(item) ? figure(item, threshold) : std::nullopt).value_or(kNan) *
                           ratio_unit(*item.task, ratio).value_or(kNan);
      line.points.push_back(across ? report::Point{alpha, *at} : report::Point{*at, alpha});
    }
    if (std::any_of(line.points.begin(), line.points.end(),
                    [](const auto& p) { return std::isfinite(p.x) && std::isfinite(p.y); }))
      lines.push_back(std::move(line));
  }
  return lines;
}

/// Whether an item is a line of a map over λ: a scaling curve along the edge of the noise.
bool is_edge(const ChartRequest& request, const Item& item) {
  return request.y == "lambda" && item.task->kind == TaskKind::scaling && !item.entry->coordinates.contains("lambda") &&
         item.task->problem.lambda_rule == model::LambdaRule::edge;
}

/// The lines of a curve along the edge: its λ, and that beyond which nothing is learned.
std::vector<report::HeatMap::Line> penalty_lines(const ChartRequest& request, const Item& item) {
  const std::vector<double> x = places(item, request.x);
  if (!is_edge(request, item) || !item.has_figures() || x.empty()) return {};
  report::HeatMap::Line collapse = collapse_line(), edge = edge_line();
  model::Problem problem = item.task->problem;
  const matrix_laws::Spectrum target = problem.target_law();
  const json& points = item.outcome->figures.at("points");
  for (std::size_t i = 0; i < x.size(); ++i) {
    const json& point = points.at(i);
    problem.alpha = point.at("alpha");
    collapse.points.push_back({x[i], theory::collapse_lambda(problem, target)});
    // As in theory::regime_map: where the student is 0, or there is no solution, there is no edge.
    const bool known =
        point.at("converged").get<bool>() && point.at("regime") != theory::name(theory::Regime::collapse);
    edge.points.push_back({x[i], (known ? find_number(point, "lambda") : std::nullopt).value_or(kNan)});
  }
  return {std::move(collapse), std::move(edge)};
}

report::Section map_section(const ChartRequest& request, const std::vector<Item>& items) {
  const std::string& value = request.values.at(0);
  report::HeatMap map{.title = request.title,
                      .description = sentence(fmt::format("{} over {} and {}.", axis_title(value),
                                                          axis_title(request.x), axis_title(request.y))),
                      .x = axis(request.x_title, request.x, request.log_x),
                      .y = axis(request.y_title, request.y, request.log_y),
                      .value = {axis_title(value), Scale::linear, value},
                      .x_values = values_along(items, request.x),
                      .y_values = values_along(items, request.y)};
  map.values.assign(map.x_values.size() * map.y_values.size(), kNan);
  std::vector<std::string> regimes(map.values.size());
  for (const Item& item : items)
    for (const MapCell& cell : cells_of(request, item)) {
      const std::size_t at = index_of(map.x_values, cell.x) * map.y_values.size() + index_of(map.y_values, cell.y);
      map.values[at] = cell.figure.value_or(kNan);
      regimes[at] = cell.regime;
    }
  if (value == "regime")
    fill_regimes(regimes, map);
  else
    map.value.scale = scale_of(map.values);
  map.lines = threshold_lines(request, items);
  map.above_is_right = is_ratio(items, request.x);
  for (const Item& item : items)
    for (report::HeatMap::Line& line : penalty_lines(request, item)) map.lines.push_back(std::move(line));
  return {request.title, request.text, report::heat_map(map)};
}

std::vector<report::Section> sections_of(const ChartRequest& request, const std::vector<Item>& items) {
  switch (request.kind) {
    case ChartRequest::Kind::curves:
      return curves_sections(request, items);
    case ChartRequest::Kind::spectrum:
      return spectrum_sections(request, items);
    case ChartRequest::Kind::map:
      return {map_section(request, items)};
  }
  throw std::logic_error("unknown kind of chart");
}

// ---- before anything is computed ------------------------------------------------------------------------------------

template <class Accepted>
std::vector<Item> those(const std::vector<Item>& items, const Accepted& accepted) {
  std::vector<Item> result;
  std::copy_if(items.begin(), items.end(), std::back_inserter(result), accepted);
  return result;
}

/// Refuses an axis that has words where numbers are needed. A rule for λ becomes a number.
void require_numbers(const ChartRequest& request, const std::vector<Item>& items, const std::string& axis) {
  const auto is_word = [&](const Item& item) { return coordinate(item, axis).is_string(); };
  if (axis == "lambda" || items.empty() || !std::all_of(items.begin(), items.end(), is_word)) return;
  throw std::invalid_argument(fmt::format("the chart '{}' needs numbers along its axes; {} is '{}'", request.title,
                                          axis, coordinate(items.front(), axis).get<std::string>()));
}

/// Refuses a map whose theory is known to stand at one value.
void require_two_values(const ChartRequest& request, const std::vector<Item>& theory, const std::string& axis) {
  const bool known =
      std::all_of(theory.begin(), theory.end(), [&](const Item& item) { return !places(item, axis).empty(); });
  const std::vector<double> values = values_along(theory, axis);
  if (!known || values.size() > 1) return;
  throw std::invalid_argument(fmt::format("the map '{}' needs at least two values of {} in the theory of its parts{}",
                                          request.title, axis,
                                          values.empty() ? "" : fmt::format(", which has {} alone", values.front())));
}

void require_drawable_map(const ChartRequest& request, const std::vector<Item>& items) {
  const auto is_cell = [&](const Item& item) { return is_mapped(item) && !is_edge(request, item); };
  const std::vector<Item> theory = those(items, is_cell),
                          lines = those(items, [](const Item&item) { return item.task->kind == TaskKind::thresholds; });
  const bool curves =
      std::any_of(theory.begin(), theory.end(), [](const Item& item) { return item.task->kind == TaskKind::scaling; });
  if (request.values.at(0) == "regime" && !curves)
    throw std::invalid_argument(
        fmt::format("the map '{}' of regimes needs a part with scaling = {{n = ...}}", request.title));
  for (const std::string& axis : {request.x, request.y}) {
    require_numbers(request, theory, axis);
    require_two_values(request, theory, axis);
  }
  require_one_subject_per_point(request.title, theory, {{request.x, request.y}, {}});
  if (is_ratio(items, request.x)) require_one_subject_per_point(request.title, lines, {{request.y}, {}});
  if (is_ratio(items, request.y)) require_one_subject_per_point(request.title, lines, {{request.x}, {}});
}

void require_drawable_spectrum(const ChartRequest& request, const std::vector<Item>& items) {
  const auto drawn = those(items, [](const Item& item) { return item.task->density; });
  if (drawn.empty())
    throw std::invalid_argument(fmt::format(
        "the chart '{}' needs a part with theory = {{density = true}}, as the densities of spectra", request.title));
  const auto negative = [](const Item& item) { return model::has_negative_eigenvalues(item.task->problem); };
  if (request.square_roots && std::any_of(drawn.begin(), drawn.end(), negative))
    throw std::invalid_argument(
        fmt::format("the chart '{}' takes square roots, and direct students have negative eigenvalues", request.title));
}

void require_drawable(const ChartRequest& request, const std::vector<Item>& all) {
  const std::vector<Item> items = best_over(request.best_over, all);
  switch (request.kind) {
    case ChartRequest::Kind::curves:
      return require_one_subject_per_point(request.title, items, {{request.x}, series_axes(request, items)});
    case ChartRequest::Kind::spectrum:
      return require_drawable_spectrum(request, items);
    case ChartRequest::Kind::map:
      return require_drawable_map(request, items);
  }
}

/// Returns the sections of a chart, or one that says why it is not drawn.
std::vector<report::Section> sections_or_fault(const ChartRequest& request, const std::vector<Item>& items,
                                               FigureCharts& charts) {
  try {
    return sections_of(request, items);
  } catch (const std::invalid_argument& error) {
    charts.complete = false;
    const std::string fault = fmt::format("Not drawn: {}.", error.what());
    charts.warnings = std::move(charts.warnings) + Warnings{fmt::format("{}: {}", request.title, fault)};
    const std::string text = request.text.empty() ? fault : fmt::format("{}\n\n{}", request.text, fault);
    return {{request.title, text}};
  }
}

}  // namespace

void require_drawable(const study::Study& study) {
  const study::Outcomes none(study.tasks.size());
  for (const ChartRequest& request : study.charts) require_drawable(request, items_of(study, none, request));
}

FigureCharts figure_charts(const study::Study& study, const study::Outcomes& outcomes) {
  FigureCharts charts;
  for (const ChartRequest& request : study.charts) {
    const std::vector<Item> items = items_of(study, outcomes, request);
    const Gaps gaps = gaps_of(items);
    charts.complete = charts.complete && gaps.complete();
    std::vector<std::string> notes = gaps.lines();
    for (const std::string& note : notes)
      charts.warnings = std::move(charts.warnings) + Warnings{fmt::format("{}: {}", request.title, note)};
    if (const std::string note = experiments_note(items); !note.empty()) notes.insert(notes.begin(), note);
    for (report::Section& section : sections_or_fault(request, items, charts)) {
      if (!notes.empty()) section.text += fmt::format("\n\n{}", fmt::join(notes, " "));
      charts.sections.push_back(std::move(section));
    }
  }
  return charts;
}

}  // namespace attnlaw::view
