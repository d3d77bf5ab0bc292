#include "attnlaw/view/in_context.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <memory>
#include <optional>

#include "attnlaw/base/infinity.h"
#include "attnlaw/laws/in_context/baselines.h"
#include "attnlaw/view/charts.h"
#include "attnlaw/view/rows.h"

namespace attnlaw::view {
namespace {

using laws::InContextExperiment;
using laws::InContextMeasured;
using laws::InContextModel;
using laws::InContextParts;
using laws::InContextPhase;
using laws::InContextPrediction;
using report::Table;

/// An axis by the name of its option, its symbol, and where a model has it.
struct AxisEntry {
  InContextAxis axis;
  const char* name;
  const char* symbol;
  double (*value)(const InContextModel&);
};

constexpr AxisEntry kAxes[] = {
    {InContextAxis::context, "context", "α = l/d", [](const InContextModel& m) { return m.context; }},
    {InContextAxis::tasks, "tasks", "κ = k/d", [](const InContextModel& m) { return m.tasks; }},
    {InContextAxis::sequences, "sequences", "τ = n/d²", [](const InContextModel& m) { return m.sequences; }},
    {InContextAxis::noise, "noise", "ρ", [](const InContextModel& m) { return m.noise; }},
    {InContextAxis::lambda, "lambda", "λ", [](const InContextModel& m) { return m.lambda; }},
    {InContextAxis::test_context, "test_context", "α_te", [](const InContextModel& m) { return m.context_of_test(); }},
    {InContextAxis::test_noise, "test_noise", "ρ_te", [](const InContextModel& m) { return m.noise_of_test(); }}};

const AxisEntry& entry_of(InContextAxis axis) {
  return *std::find_if(std::begin(kAxes), std::end(kAxes), [=](const AxisEntry& entry) { return entry.axis == axis; });
}

bool has_experiments(const InContextResult& result) { return !result.points.front().experiments.empty(); }

bool varies(const InContextResult& result, InContextAxis axis) {
  return std::find(result.axes.begin(), result.axes.end(), axis) != result.axes.end();
}

/// The letter of the symbol, without what it stands for: "α".
std::string letter(const AxisEntry& entry) {
  const std::string symbol = entry.symbol;
  return symbol.substr(0, symbol.find(' '));
}

/// A penalty of 0 is the limit λ → 0+.
constexpr const char* kLimit = "0+";
bool is_limit(const AxisEntry& entry, double value) { return entry.axis == InContextAxis::lambda && value == 0; }

std::string shown(const AxisEntry& entry, double value) {
  const std::string number = std::isinf(value) ? "∞" : fmt::format("{:.6g}", value);
  return fmt::format("{} = {}", letter(entry), is_limit(entry, value) ? kLimit : number);
}

/// The value of a point on an axis: "κ = 0.5"; a penalty that was found is told by its rule.
std::string shown(const AxisEntry& entry, const InContextPoint& point) {
  if (entry.axis == InContextAxis::lambda && point.lambda_rule) return "λ " + base::name(*point.lambda_rule);
  return shown(entry, entry.value(point.prediction.model));
}

/// Names what all points share: "α = 10, τ = 3, ρ = 0.1, λ = 0+".
std::string headline(const InContextResult& result) {
  const InContextPoint& point = result.points.front();
  const InContextModel& model = point.prediction.model;
  std::vector<std::string> parts;
  for (const AxisEntry& entry : kAxes) {
    if (varies(result, entry.axis)) continue;
    if (entry.axis == InContextAxis::test_context && !model.test_context) continue;
    if (entry.axis == InContextAxis::test_noise && !model.test_noise) continue;
    parts.push_back(shown(entry, point));
    const bool found = entry.axis == InContextAxis::lambda && point.lambda_rule && result.axes.empty();
    if (found) parts.back() += fmt::format(" ({:.6g})", model.lambda);
  }
  if (!model.covariance.isotropic()) parts.push_back("C = " + model.covariance.spec);
  if (model.test_covariance) parts.push_back("C_te = " + model.test_covariance->spec);
  return joined(parts, [](const std::string& part) { return part; });
}

// ---- a single point ------------------------------------------------------------------------------------------------

Table error_table(const InContextPrediction& p) {
  Table table = headed("", {"mean squared error", "error", "noise", "unseen", "shrinkage", "context", "variance"});
  const auto add_error = [&](const char* title, double error, const InContextParts& parts) {
    add(table, title, error, cells(parts));
  };
  add_error("new tasks", p.new_tasks, p.new_parts);
  add_error("training tasks, new contexts", p.training_tasks, p.training_parts);
  add(table, "training sequences", p.train);
  return table;
}

Table baseline_table(const InContextPrediction& p) {
  const auto& b = p.baselines;
  Table table = headed("Others with the same context", {"", "new tasks", "training tasks"});
  add(table, "trained layer", p.new_tasks, p.training_tasks);
  add(table, "Bayes-optimal ridge", b.ridge);
  add(table, "posterior over the training tasks", b.memory_new, b.memory_training);
  add(table, "answers 0", b.nothing);
  table.title +=
      fmt::format(": the layer {}", p.phase() == InContextPhase::neither ? "neither generalises nor memorises"
                                                                         : std::string(base::name(p.phase())));
  return table;
}

std::string bands_text(const InContextSpectrum& spectrum) {
  return joined(
      spectrum.bands, [](const auto& band) { return fmt::format("[{:.4g}, {:.4g}]", band.lower, band.upper); }, " ");
}

Table matrix_table(const InContextPoint& point) {
  const InContextPrediction& p = point.prediction;
  Table table = headed("Trained matrix", {"ξ", "tr G/d", "‖G‖²/d", "‖G − I‖²/d", "of it noise V", "gap number"});
  if (point.singular_values) add_columns(table, {"singular values"});
  add(table, p.ridge, p.trace, p.squared_norm, p.distance, p.variance, p.gap_number,
      point.singular_values ? report::Cell(bands_text(*point.singular_values)) : report::Cell());
  return table;
}

/// What is measured, by the names of fields and what tables say.
constexpr std::pair<const char*, double InContextMeasured::*> kMeasured[] = {
    {"new tasks", &InContextMeasured::new_tasks},
    {"training tasks", &InContextMeasured::training_tasks},
    {"training sequences", &InContextMeasured::train},
    {"tr G/d", &InContextMeasured::trace},
    {"‖G‖²/d", &InContextMeasured::squared_norm}};

/// The law in the limit, by the same names.
InContextMeasured limit_of(const InContextPrediction& p) {
  return {p.new_tasks, p.training_tasks, p.train, p.trace, p.squared_norm};
}

/// How many layers of which size were trained: "4 layers at d = 40, l = 80, k = 20, n = 4000 (normal)".
std::string sizes_text(const InContextExperiment& experiment) {
  std::string text =
      fmt::format("{} layers at d = {}, l = {}", experiment.instances.size(), experiment.d, experiment.length);
  if (experiment.tasks) text += fmt::format(", k = {}", *experiment.tasks);
  text += fmt::format(", n = {} ({})", experiment.sequences, base::name(experiment.solver));
  if (experiment.kolmogorov_distance)
    text += fmt::format("; singular values: Kolmogorov distance {:.3f}", experiment.kolmogorov_distance->value);
  return text;
}

/// The error on new tasks of the posterior over the training tasks at the dimension of an experiment, where it is far
/// from its limit; nothing where it has no formula.
std::optional<double> memory_at(const InContextPrediction& p, const InContextExperiment& experiment) {
  if (!experiment.tasks || !p.model.covariance.isotropic() || p.model.test_covariance) return std::nullopt;
  return laws::memory_error(static_cast<double>(experiment.d), p.model.context_of_test(), experiment.model.tasks,
                            p.model.noise_of_test());
}

Table experiment_table(const InContextPrediction& p, const InContextExperiment& experiment) {
  Table table = headed(sizes_text(experiment), {"", "law", "law at this size", "measured", error_column(),
                                                percent("difference"), percent("±")});
  const InContextMeasured limit = limit_of(p);
  constexpr double kPercent = 100;
  for (const auto& [title, figure] : kMeasured)
    add(table, title, limit.*figure, experiment.theory.*figure, experiment.mean.*figure,
        experiment.standard_error.*figure, kPercent * experiment.difference.*figure,
        kPercent * experiment.difference_error.*figure);
  if (const auto memory = memory_at(p, experiment)) add(table, "memory, new tasks", p.baselines.memory_new, *memory);
  return table;
}

Table extrapolation_table(const InContextPrediction& p, const laws::InContextExtrapolation& e) {
  using Limit = laws::InContextLimit;
  Table table = headed("As 1/d → 0: measured, and measured over the law at its size, less 1",
                       {"", "law", "measured", error_column(), percent("difference"), percent("±")});
  constexpr base::Estimate Limit::*kFigures[] = {&Limit::new_tasks, &Limit::training_tasks, &Limit::train,
                                                 &Limit::trace, &Limit::squared_norm};
  static_assert(std::size(kFigures) == std::size(kMeasured));
  constexpr double kPercent = 100;
  const InContextMeasured limit = limit_of(p);
  for (std::size_t i = 0; i < std::size(kFigures); ++i) {
    const base::Estimate measured = e.measured.*kFigures[i], difference = e.difference.*kFigures[i];
    add(table, kMeasured[i].first, limit.*kMeasured[i].second, measured.value, measured.standard_error,
        kPercent * difference.value, kPercent * difference.standard_error);
  }
  return table;
}

std::vector<Table> tables_of(const InContextPoint& point) {
  std::vector<Table> tables{error_table(point.prediction), baseline_table(point.prediction), matrix_table(point)};
  for (const InContextExperiment& experiment : point.experiments)
    tables.push_back(experiment_table(point.prediction, experiment));
  if (point.extrapolation) tables.push_back(extrapolation_table(point.prediction, *point.extrapolation));
  return tables;
}

report::Chart spectrum_chart(const InContextPoint& point) {
  const InContextSpectrum& spectrum = *point.singular_values;
  report::SpectrumChart chart{.title = "Singular values of the trained matrix",
                              .description = "Density of the singular values of the trained matrix, on " +
                                             bands_text(spectrum) +
                                             (point.experiments.empty() ? "." : ", over a histogram of measured ones."),
                              .value = "singular value",
                              .density = points(spectrum.density.x, spectrum.density.density),
                              .zero_tolerance = 0};
  // A band ends where its density does, also between two bands.
  for (const auto& band : spectrum.bands)
    for (const double edge : {band.lower, band.upper})
      if (edge > 0) chart.density.push_back({edge, 0});
  std::sort(chart.density.begin(), chart.density.end(), [](const auto& a, const auto& b) { return a.x < b.x; });
  if (!point.experiments.empty()) chart.eigenvalues = point.experiments.back().singular_values();
  return report::spectrum_chart(chart);
}

// ---- curves --------------------------------------------------------------------------------------------------------

report::Cell axis_cell(const AxisEntry& entry, const InContextModel& model) {
  const double value = entry.value(model);
  return is_limit(entry, value) ? report::Cell(std::string(kLimit)) : cell(value);
}

Table curve_table(const InContextResult& result) {
  Table table{"", {}};
  const bool found = std::any_of(result.points.begin(), result.points.end(),
                                 [](const InContextPoint& point) { return point.lambda_rule.has_value(); });
  const bool several_penalties = varies(result, InContextAxis::lambda);
  // A penalty that was found is a result, also where all points share its rule.
  const auto is_shown = [&](const AxisEntry& entry) {
    return varies(result, entry.axis) || (found && entry.axis == InContextAxis::lambda);
  };
  for (const AxisEntry& entry : kAxes)
    if (is_shown(entry)) table.columns.push_back(general(letter(entry)));
  if (found && several_penalties) add_columns(table, {"λ is"});
  add_columns(table, {"new tasks", "training tasks", "training sequences", "ridge", general("generalisation", 3),
                      general("memorisation", 3), "phase"});
  if (has_experiments(result))
    add_columns(table, {"d", general("new tasks at d", 4), general("measured", 4), error_column(),
                        general("training tasks at d", 4), general("measured", 4), error_column()});
  for (const InContextPoint& point : result.points) {
    const InContextPrediction& p = point.prediction;
    Row start;
    for (const AxisEntry& entry : kAxes)
      if (is_shown(entry)) start.push_back(axis_cell(entry, p.model));
    if (found && several_penalties)
      start.push_back(point.lambda_rule ? cell(*point.lambda_rule) : report::Cell(std::string("given")));
    const Row theory = row(start, p.new_tasks, p.training_tasks, p.train, p.baselines.ridge, p.generalisation(),
                           p.memorisation(), p.phase());
    if (point.experiments.empty()) add(table, theory);
    for (const InContextExperiment& e : point.experiments)
      add(table, theory, e.d, e.theory.new_tasks, e.mean.new_tasks, e.standard_error.new_tasks, e.theory.training_tasks,
          e.mean.training_tasks, e.standard_error.training_tasks);
  }
  return table;
}

/// An axis is logarithmic where its values are positive and span so much.
Scale scale_of(const std::vector<double>& values) {
  constexpr double kWide = 15;
  const auto finite = [](double x) { return std::isfinite(x); };
  if (!std::all_of(values.begin(), values.end(), [&](double x) { return !finite(x) || x > 0; })) return Scale::linear;
  double least = base::kInfinity, most = 0;
  for (const double x : values)
    if (finite(x)) least = std::min(least, x), most = std::max(most, x);
  return most > kWide * least ? Scale::log : Scale::linear;
}

/// The curves are told apart by all axes but the first.
std::string curve_name(const InContextResult& result, const InContextPoint& point) {
  std::vector<std::string> parts;
  for (std::size_t i = 1; i < result.axes.size(); ++i) parts.push_back(shown(entry_of(result.axes[i]), point));
  return joined(parts, [](const std::string& part) { return part; });
}

/// The same at the dimension of the last experiment if there is one, else its limit.
double memory_of(const InContextPoint& point) {
  const InContextPrediction& p = point.prediction;
  const auto memory = point.experiments.empty() ? std::nullopt : memory_at(p, point.experiments.back());
  if (memory) return *memory;
  return std::isfinite(p.model.tasks) ? p.baselines.memory_new : base::kNaN;
}

/// Lines of one quantity for each curve of a result.
class CurvesChart {
 public:
  explicit CurvesChart(const InContextResult& result)
      : result_(result), x_axis_(entry_of(result.axes.front())), measured_(has_experiments(result)) {
    chart_.title = "Test errors";
    chart_.guide_title = measured_ ? "law at the size of the experiments" : "Bayes-optimal ridge";
    chart_.description =
        fmt::format("Test errors on new tasks and on the training tasks against {}, with {}.", x_axis_.symbol,
                    measured_ ? "those of layers trained at finite d and the law at their size"
                              : "the error of the Bayes-optimal ridge on the same context");
    for (const InContextPoint& point : result.points) add(point);
  }

  report::Chart draw() {
    chart_.x = {x_axis_.symbol, scale_of(abscissae_), x_axis_.name};
    chart_.y = {"mean squared error", scale_of(ordinates_)};
    for (report::Series& series : chart_.series) {
      for (auto* points : {&series.theory, &series.experiment, &series.guide})
        std::stable_sort(points->begin(), points->end(), [](const auto& a, const auto& b) { return a.x < b.x; });
      // Where curves share a line, each has added its points.
      const auto same = [](const report::Point& a, const report::Point& b) { return a.x == b.x; };
      series.theory.erase(std::unique(series.theory.begin(), series.theory.end(), same), series.theory.end());
    }
    return report::errors_chart(chart_);
  }

 private:
  void add(const InContextPoint& point) {
    const InContextPrediction& p = point.prediction;
    const double x = x_axis_.value(p.model);
    const std::string curve = curve_name(result_, point), after = curve.empty() ? "" : ", " + curve;
    const auto add_point = [&](const char* name, double InContextMeasured::*figure, double theory, double guide) {
      report::Series& series = add_line(name + after, x, theory);
      for (const InContextExperiment& e : point.experiments)
        series.experiment.push_back({x, e.mean.*figure, e.standard_error.*figure});
      if (measured_) guide = point.experiments.back().theory.*figure;
      if (!std::isnan(guide)) series.guide.push_back({x, guide});
    };
    // A legend has room for short names where there are several curves.
    add_point(curve.empty() ? "new tasks" : "new", &InContextMeasured::new_tasks, p.new_tasks, p.baselines.ridge);
    add_point(curve.empty() ? "training tasks" : "training", &InContextMeasured::training_tasks, p.training_tasks,
              base::kNaN);
    if (x_axis_.axis != InContextAxis::tasks) return;
    // Without a dimension it depends on the noise alone: one line serves all curves.
    const bool own = measured_ || varies(result_, InContextAxis::noise) || varies(result_, InContextAxis::test_noise);
    add_line("memory" + (own ? after : ""), x, memory_of(point));
  }

  report::Series& add_line(const std::string& name, double x, double theory) {
    const auto [place, added] = places_.emplace(name, chart_.series.size());
    if (added) chart_.series.push_back({name});
    chart_.series[place->second].theory.push_back({x, theory});
    abscissae_.push_back(x);
    if (std::isfinite(theory)) ordinates_.push_back(theory);
    return chart_.series[place->second];
  }

  const InContextResult& result_;
  const AxisEntry& x_axis_;
  bool measured_;
  report::ErrorsChart chart_;
  std::vector<double> abscissae_, ordinates_;
  std::map<std::string, std::size_t> places_;
};

// ---- maps ----------------------------------------------------------------------------------------------------------

/// The plane of a map: its values along both axes, ascending, and the prediction at each point, one row of y for each
/// x.
struct Plane {
  const AxisEntry& x_axis;
  const AxisEntry& y_axis;
  std::vector<double> x, y;
  std::vector<const InContextPrediction*> at;

  const InContextPrediction& operator()(std::size_t i, std::size_t j) const { return *at[i * y.size() + j]; }
};

Plane plane_of(const InContextResult& result) {
  // Tasks are horizontal where they vary, whatever the numbers of values.
  std::vector<InContextAxis> axes = result.axes;
  if (axes[1] == InContextAxis::tasks) std::swap(axes[0], axes[1]);
  Plane plane{entry_of(axes[0]), entry_of(axes[1]), {}, {}, {}};
  std::map<std::pair<double, double>, const InContextPrediction*> places;
  for (const InContextPoint& point : result.points) {
    const InContextModel& model = point.prediction.model;
    const double x = plane.x_axis.value(model), y = plane.y_axis.value(model);
    places[{x, y}] = &point.prediction;
    plane.x.push_back(x);
    plane.y.push_back(y);
  }
  for (auto* values : {&plane.x, &plane.y}) {
    std::sort(values->begin(), values->end());
    values->erase(std::unique(values->begin(), values->end()), values->end());
  }
  for (const double x : plane.x)
    for (const double y : plane.y) plane.at.push_back(places[{x, y}]);
  return plane;
}

char phase_letter(InContextPhase phase) {
  return phase == InContextPhase::generalises ? 'G' : phase == InContextPhase::memorises ? 'M' : '.';
}

Table map_table(const Plane& plane) {
  Table table = headed(fmt::format("G: generalises, M: memorises, .: neither; {} to the right from {:.4g} to {:.4g}",
                                   plane.x_axis.symbol, plane.x.front(), plane.x.back()),
                       {general(letter(plane.y_axis), 4), "phases"});
  for (std::size_t j = plane.y.size(); j-- > 0;) {
    std::string letters;
    for (std::size_t i = 0; i < plane.x.size(); ++i) letters += phase_letter(plane(i, j).phase());
    add(table, plane.y[j], letters);
  }
  return table;
}

double interpolated(Scale scale, double from, double to, double share) {
  return scale == Scale::log ? from * std::pow(to / from, share) : from + share * (to - from);
}

/// Returns where half of what can be explained is explained for the first time: along y at every x, or along x at every
/// y, whichever crosses the line more often.
report::HeatMap::Line line_of(const Plane& plane, const char* name, double (InContextPrediction::*figure)() const) {
  constexpr double kHalf = 0.5;
  const auto excess = [&](std::size_t i, std::size_t j) { return (plane(i, j).*figure)() - kHalf; };
  const auto crossing = [&](const std::vector<double>& axis, const auto& value) {
    for (std::size_t i = 1; i < axis.size(); ++i) {
      const double below = value(i - 1), above = value(i);
      if (!(below < 0 && above >= 0)) continue;
      // Next to an infinite error the line is at the finite one.
      const double share = std::isinf(below) ? 1 : below / (below - above);
      return interpolated(scale_of(axis), axis[i - 1], axis[i], share);
    }
    return base::kNaN;
  };
  report::HeatMap::Line along_y{name, {}}, along_x{name, {}};
  for (std::size_t i = 0; i < plane.x.size(); ++i)
    along_y.points.push_back({plane.x[i], crossing(plane.y, [&](std::size_t j) { return excess(i, j); })});
  for (std::size_t j = 0; j < plane.y.size(); ++j)
    along_x.points.push_back({crossing(plane.x, [&](std::size_t i) { return excess(i, j); }), plane.y[j]});
  const auto missing = [](const report::HeatMap::Line& line) {
    return std::count_if(line.points.begin(), line.points.end(),
                         [](const report::Point& point) { return std::isnan(point.x) || std::isnan(point.y); });
  };
  return missing(along_x) < missing(along_y) ? along_x : along_y;
}

report::Chart map_chart(const Plane& plane) {
  report::HeatMap map{
      .title = "Where the layer generalises",
      .description =
          "Part of what the Bayes-optimal ridge explains of new tasks that the trained layer explains. On the bright "
          "side of one line it is half of it or more: the layer generalises. On the upper side of the other the layer "
          "explains half of what can be explained of its training tasks: where it does no more, it memorises.",
      .x = {plane.x_axis.symbol, scale_of(plane.x), plane.x_axis.name},
      .y = {plane.y_axis.symbol, scale_of(plane.y), plane.y_axis.name},
      .value = {"explained"},
      .x_values = plane.x,
      .y_values = plane.y};
  for (const InContextPrediction* prediction : plane.at)
    // Worse than answering 0 is shown as that.
    map.values.push_back(std::max(0.0, prediction->generalisation()));
  map.lines = {line_of(plane, "generalises", &InContextPrediction::generalisation),
               line_of(plane, "explains training tasks", &InContextPrediction::memorisation)};
  return report::heat_map(map);
}

// ---- all -----------------------------------------------------------------------------------------------------------

Table rows_of(const InContextResult& result) {
  Table table = records<InContextPrediction>({"kind", "d", "seed"}, {"lambda_rule", "singular_value", "density"});
  for (const InContextPoint& point : result.points) {
    Fields theory{{"kind", "theory"}};
    if (point.lambda_rule) theory.push_back({"lambda_rule", base::name(*point.lambda_rule)});
    add_row(table, theory, point.prediction);
    for (const InContextExperiment& experiment : point.experiments) {
      const Fields model = fields_of(experiment.model);
      const auto add_measured = [&](const char* kind, const InContextMeasured& measured, Fields more = {}) {
        Fields cells{{"kind", kind}, {"d", experiment.d}};
        append(cells, more);
        append(cells, fields_of(measured));
        add_row(table, cells, model);
      };
      add_measured("mean", experiment.mean);
      add_measured("standard_error", experiment.standard_error);
      add_measured("law", experiment.theory);
      add_measured("difference", experiment.difference);
      for (const auto& instance : experiment.instances)
        add_measured("instance", instance.measured, {{"seed", instance.seed}});
    }
    if (const auto& spectrum = point.singular_values)
      for (std::size_t i = 0; i < spectrum->density.x.size(); ++i)
        add_row(table, {{"kind", "density"},
                        {"singular_value", spectrum->density.x[i]},
                        {"density", spectrum->density.density[i]}});
    if (result.points.size() > 1) continue;
    for (const InContextExperiment& experiment : point.experiments)
      for (const double value : experiment.singular_values())
        add_row(table, {{"kind", "singular_value"}, {"d", experiment.d}, {"singular_value", value}});
  }
  return table;
}

Warnings warnings_of(const InContextResult& result) {
  Warnings lines;
  const auto count = [&](auto condition) {
    return std::count_if(result.points.begin(), result.points.end(),
                         [&](const InContextPoint& point) { return condition(point.prediction); });
  };
  if (const auto infinite =
          count([](const auto& p) { return p.model.sequences == 1 && p.model.lambda == 0 && std::isinf(p.new_tasks); }))
    lines.push_back(fmt::format(
        "sequences = 1 with lambda = 0+: test errors are infinite{} (n = d² sequences just determine the layer)",
        result.points.size() > 1 ? fmt::format(" at {} of {} points", infinite, result.points.size()) : ""));
  const auto harmful =
      count([](const auto& p) { return std::isfinite(p.new_tasks) && p.new_tasks > p.baselines.nothing; });
  if (harmful > 0)
    lines.push_back(result.points.size() == 1
                        ? "on new tasks the layer is worse than answering 0"
                        : fmt::format("on new tasks the layer is worse than answering 0 at {} of {} points", harmful,
                                      result.points.size()));
  if (!result.converged())
    lines.push_back("NOT CONVERGED: conjugate gradients of a layer did not reach their tolerance.");
  const bool limit = std::any_of(result.points.begin(), result.points.end(), [](const InContextPoint& point) {
    return !point.experiments.empty() && point.prediction.model.lambda == 0;
  });
  if (limit)
    lines.push_back(fmt::format("experiments stand for lambda = 0+ with {}, and so does their law at finite size",
                                laws::kRidgelessPenalty));
  return lines;
}

/// `plane`: of a map.
report::Page page_of(const InContextResult& result, const std::optional<Plane>& plane,
                     const std::vector<Table>& tables) {
  report::Page page{"In-context regression by trained linear attention", headline(result), {}};
  if (plane) {
    page.sections.push_back({"Phases",
                             "The layer generalises where it explains half of what the Bayes-optimal ridge explains of "
                             "new tasks. Where it does not, but explains half of what can be explained of its training "
                             "tasks, it memorises.",
                             map_chart(*plane)});
    return page;
  }
  if (!result.axes.empty()) {
    const bool measured = has_experiments(result);
    page.sections.push_back(
        {"Test errors",
         std::string("New tasks are those that no training sequence has; training tasks come in new contexts. ") +
             (result.axes.front() == InContextAxis::tasks ? "Memory: new tasks by the posterior over training tasks. "
                                                          : "") +
             (measured ? "Points: trained layers. Dotted: the law at their size, given the tasks that were drawn."
                       : "Dotted: the Bayes-optimal ridge on the same context."),
         CurvesChart(result).draw()});
    // Longer tables are the numbers of the chart once more.
    constexpr std::size_t kShort = 40;
    if (tables.front().rows.size() <= kShort) page.sections.back().table = tables.front();
    return page;
  }
  page.sections = sections_of(tables);
  page.sections.front().heading = "Errors and their parts";
  if (result.points.front().singular_values)
    page.sections.insert(
        page.sections.begin(),
        {"Singular values",
         "The trained matrix would be a multiple of the identity if the layer did one step of gradient "
         "descent on its context. Few tasks spread its singular values, few sequences add noise.",
         spectrum_chart(result.points.front())});
  return page;
}

}  // namespace

std::vector<std::vector<double>> InContextSpectrum::edges() const {
  std::vector<std::vector<double>> result;
  for (const auto& band : bands) result.push_back({band.lower, band.upper});
  return result;
}

bool InContextResult::converged() const {
  return std::all_of(points.begin(), points.end(), [](const InContextPoint& point) {
    return std::all_of(point.experiments.begin(), point.experiments.end(),
                       [](const auto& experiment) { return experiment.converged(); });
  });
}

Result show(const InContextResult& result, bool draw) {
  const auto kept = std::make_shared<const InContextResult>(result);
  const bool one = result.axes.empty();
  const std::optional<Plane> plane = result.map ? std::optional(plane_of(result)) : std::nullopt;
  Result shown{.tables = one     ? tables_of(result.points.front())
                         : plane ? std::vector<Table>{map_table(*plane)}
                                 : std::vector<Table>{curve_table(result)},
               .rows = Rows([kept] { return rows_of(*kept); }),
               .warnings = warnings_of(result),
               .converged = result.converged()};
  if (draw) shown.page = page_of(result, plane, shown.tables);
  std::string& title = shown.tables.front().title;
  title = "In-context regression: " + headline(result) + (title.empty() ? "" : "\n" + title);
  return shown;
}

}  // namespace attnlaw::view
