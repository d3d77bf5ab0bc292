#include "attnlaw/operations/icl.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "attnlaw/base/parallel.h"
#include "attnlaw/operations/grid_options.h"

namespace attnlaw::operations {
namespace {

using laws::InContextModel;
using laws::InContextPenalty;
using nlohmann::json;

constexpr const char* kRatios = "numbers from 1e-12 to 1e12 or inf, one or many, as in 2, 1,2,inf or 0.1:10:20:log";
constexpr const char* kNoises = "0 or numbers from 1e-100 to 1e12, one or many, as in 0.1, 0,0.1,1 or 0.01:1:20:log";

base::FieldOf<Icl::Input> lambda_field() {
  const auto write = [](const Icl::Input& input) {
    json list = json::array();
    for (const InContextPenalty& penalty : input.lambda) list.push_back(to_json(penalty));
    return list;
  };
  const auto read = [](Icl::Input& input, const json& value) {
    input.lambda.clear();
    for (const json& item : items_of("--lambda", value))
      input.lambda.push_back(laws::in_context_penalty("--lambda", item));
  };
  return base::custom<Icl::Input>(
      "lambda", many(), write, read,
      {.symbol = "λ",
       .doc = "penalty of the trained matrix, the limit 0+, or that of least error on new tasks (optimal) or on "
              "training tasks (optimal-training)",
       .accepts = "0 or 0+, numbers from 1e-100 to 1e100, optimal, optimal-training; one or many, as in 0.1, 0+,0.1 or "
                  "0.01:1:20:log",
       .value_name = "X|0+|optimal|optimal-training[,...]|FROM:TO:N[:log]"});
}

/// A point of the grid before its penalty is known.
struct Asked {
  InContextModel model;
  InContextPenalty penalty;
};

/// Every combination of the values of the axes, the first axis slowest.
class Combinations {
 public:
  explicit Combinations(std::vector<Asked> start) : all_(std::move(start)) {}

  template <class Values, class Set>
  void over(const Values& values, const Set& set) {
    std::vector<Asked> next;
    if (all_.size() * values.size() > static_cast<std::size_t>(study::kMostGridPoints))
      base::reject("a grid of icl has at most {} points", study::kMostGridPoints);
    next.reserve(all_.size() * values.size());
    for (const Asked& one : all_)
      for (const auto& value : values) set(next.emplace_back(one), value);
    if (!values.empty()) all_ = std::move(next);
  }

  std::vector<Asked> all() && { return std::move(all_); }

 private:
  std::vector<Asked> all_;
};

std::vector<Asked> points_of(const Icl::Input& input) {
  Asked start;
  start.model.covariance = laws::TaskCovariance::parse(input.task_covariance);
  if (!input.test_covariance.empty()) start.model.test_covariance = laws::TaskCovariance::parse(input.test_covariance);
  Combinations points({start});
  points.over(input.context, [](Asked& asked, double value) { asked.model.context = value; });
  points.over(input.tasks, [](Asked& asked, double value) { asked.model.tasks = value; });
  points.over(input.sequences, [](Asked& asked, double value) { asked.model.sequences = value; });
  points.over(input.noise, [](Asked& asked, double value) { asked.model.noise = value; });
  points.over(input.lambda, [](Asked& asked, const InContextPenalty& value) {
    asked.penalty = value;
    asked.model.lambda = value.optimal ? 1 : value.value;  // some penalty, until it is found
  });
  points.over(input.test_context, [](Asked& asked, double value) { asked.model.test_context = value; });
  points.over(input.test_noise, [](Asked& asked, double value) { asked.model.test_noise = value; });
  return std::move(points).all();
}

/// The options with several values, by the order in which a curve prefers them for its horizontal axis.
std::vector<view::InContextAxis> axes_of(const Icl::Input& input) {
  using Axis = view::InContextAxis;
  std::vector<std::pair<Axis, std::size_t>> all{
      {Axis::tasks, input.tasks.size()},          {Axis::sequences, input.sequences.size()},
      {Axis::context, input.context.size()},      {Axis::lambda, input.lambda.size()},
      {Axis::noise, input.noise.size()},          {Axis::test_context, input.test_context.size()},
      {Axis::test_noise, input.test_noise.size()}};
  std::stable_sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.second > b.second; });
  std::vector<Axis> axes;
  for (const auto& [axis, count] : all)
    if (count > 1) axes.push_back(axis);
  return axes;
}

/// Tells whether a plane has the values of its axes at every point: a rule finds another penalty at each.
bool drawable(const Icl::Input& input) {
  const auto finite = [](const std::vector<double>& values) {
    return values.size() < 2 || std::all_of(values.begin(), values.end(), [](double x) { return std::isfinite(x); });
  };
  const bool rules = std::any_of(input.lambda.begin(), input.lambda.end(),
                                 [](const InContextPenalty& penalty) { return penalty.optimal.has_value(); });
  return finite(input.context) && finite(input.tasks) && finite(input.sequences) && finite(input.test_context) &&
         (input.lambda.size() < 2 || !rules);
}

laws::InContextExperimentOptions experiment_options(const Icl::Input& input, int d, const Run& run) {
  laws::InContextExperimentOptions options;
  options.d = static_cast<std::size_t>(d);
  options.instances = input.instances;
  options.solver = input.solver;
  options.seed = run.seed;
  options.threads = run.threads;
  options.progress = progress_of(run, fmt::format("d = {}", d));
  return options;
}

std::optional<view::InContextSpectrum> spectrum_of(const laws::InContextPrediction& prediction) {
  constexpr int kPoints = 300;  // of each band
  const auto law = laws::SingularValueLaw::of(prediction);
  if (!law) return std::nullopt;
  return view::InContextSpectrum{law->bands(), law->curve(kPoints)};
}

}  // namespace

const base::Description& describe(const Icl::Input*) {
  using I = Icl::Input;
  static const base::Description description{
      "sequences to train on and to test on, and what to simulate beside the law",
      {numbers("context", &I::context,
               {.symbol = "α",
                .unit = "l/d",
                .doc = "tokens of a context over dimensions, or inf",
                .required = true,
                .accepts = kRatios}),
       numbers("tasks", &I::tasks,
               {.symbol = "κ",
                .unit = "k/d",
                .doc = "distinct training tasks over dimensions; inf: a new one each",
                .required = true,
                .accepts = kRatios}),
       numbers("sequences", &I::sequences,
               {.symbol = "τ",
                .unit = "n/d²",
                .doc = "training sequences over squared dimensions, or inf",
                .required = true,
                .accepts = kRatios}),
       numbers("noise", &I::noise, {.symbol = "ρ", .doc = "variance of the noise of labels", .accepts = kNoises}),
       lambda_field(),
       numbers("test_context", &I::test_context,
               {.symbol = "α_te",
                .unit = "l/d",
                .doc = "tokens of the contexts of new tasks over dimensions, or inf",
                .accepts = kRatios,
                .otherwise = "context"}),
       numbers("test_noise", &I::test_noise,
               {.symbol = "ρ_te", .doc = "noise of the labels of new tasks", .accepts = kNoises, .otherwise = "noise"}),
       base::field("task_covariance", &I::task_covariance,
                   {.symbol = "C",
                    .doc = "covariance of training tasks: isotropic, list:C1[@W1],C2[@W2],…, powerlaw:GAMMA,D (mean "
                           "1) or file:PATH; weights are divided by their sum",
                    .value_name = "SPEC"}),
       base::field("test_covariance", &I::test_covariance,
                   {.symbol = "C_te",
                    .doc = "that of new tasks, value by value in the same directions",
                    .otherwise = "task-covariance",
                    .value_name = "SPEC"}),
       base::field("map", &I::map, {.doc = "draw the plane of two options with several values as a map of phases"}),
       base::field("d", &I::d, {.symbol = "d", .range = {2}, .doc = "simulate at this dimension, or at several"}),
       base::field("instances", &I::instances, {.range = {1}, .doc = "layers to train at each point and dimension"}),
       base::field("solver", &I::solver, {.doc = "how layers are trained"})}};
  return description;
}

Icl::Input Icl::read(const json& options) {
  Input input;
  base::read(options, input, "options of icl");
  for (auto* values :
       {&input.context, &input.tasks, &input.sequences, &input.noise, &input.test_context, &input.test_noise})
    keep_distinct(*values);
  keep_distinct(input.lambda);
  const auto given = [&](const char* name) { return options.contains(name); };
  refuse((given("instances") || given("solver")) && input.d.empty(),
         "--instances and --solver need --d, a dimension to simulate at");
  const std::vector<view::InContextAxis> axes = axes_of(input);
  if (input.map && axes.size() != 2)
    base::reject(
        "--map needs two options with several values, as in --tasks 0.1:10:40:log --context 1:100:40:log, got {}",
        axes.size());
  refuse(input.map && !input.d.empty(), "--map draws the law alone: leave out --d");
  refuse(input.map && !drawable(input), "--map takes finite values, and of --lambda several numbers or a single rule");
  refuse(input.d.size() > 1 && input.instances < 2,
         "several d are extrapolated to 1/d → 0, which needs two instances to estimate their scatter from");
  std::vector<int> sorted = input.d;
  std::sort(sorted.begin(), sorted.end());
  refuse(std::adjacent_find(sorted.begin(), sorted.end()) != sorted.end(), "--d takes every dimension once");
  for (const Asked& asked : points_of(input)) {
    laws::require_valid(asked.model);
    for (const int d : input.d) laws::require_feasible(asked.model, experiment_options(input, d, {}));
  }
  return input;
}

std::vector<std::string> Icl::unread(const json& options) {
  return options.contains("d") ? std::vector<std::string>{} : std::vector<std::string>{"seed"};
}

Icl::Output Icl::run(const Input& input, const Run& run) {
  const std::vector<Asked> asked = points_of(input);
  Output result;
  result.axes = axes_of(input);
  result.map = input.map;
  result.points.resize(asked.size());
  base::parallel_for(asked.size(), run.threads, [&](std::size_t i) {
    result.points[i].prediction = laws::predict_in_context(asked[i].model, asked[i].penalty);
    result.points[i].lambda_rule = asked[i].penalty.optimal;
  });
  for (view::InContextPoint& point : result.points) {
    for (const int d : input.d)
      point.experiments.push_back(laws::simulate_in_context(point.prediction.model, experiment_options(input, d, run)));
    if (input.d.size() > 1) point.extrapolation = laws::extrapolate(point.experiments);
  }
  if (asked.size() == 1) result.points.front().singular_values = spectrum_of(result.points.front().prediction);
  return result;
}

view::Result Icl::show(const Output& output, const Run& run) { return view::show(output, run.draw); }

}  // namespace attnlaw::operations
