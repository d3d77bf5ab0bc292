#include "attnlaw/study/task.h"

#include <fmt/format.h>
// Inlined: nothing to link.
#define XXH_INLINE_ALL
#include <xxhash.h>

#include <chrono>
#include <cmath>
#include <new>
#include <nlohmann/json.hpp>
#include <system_error>

#include "attnlaw/base/fields/fields.h"
#include "attnlaw/base/json_text.h"
#include "attnlaw/base/reject.h"
#include "attnlaw/study/comparison.h"
#include "attnlaw/study/outcome.h"
#include "attnlaw/study/resolve.h"
#include "attnlaw/study/thresholds.h"
#include "attnlaw/theory/evidence.h"
#include "attnlaw/theory/scaling.h"

namespace attnlaw::study {
namespace {

using nlohmann::json;

constexpr base::Named<TaskKind> kKinds[] = {{TaskKind::theory, "theory"},
                                            {TaskKind::experiment, "experiment"},
                                            {TaskKind::thresholds, "thresholds"},
                                            {TaskKind::scaling, "scaling"}};

json experiment_json(const experiment::Options& options) {
  json document = base::json_of(static_cast<const experiment::TrainerOptions&>(options));
  document.update({{"d", options.d},
                   {"instance", options.first_instance},
                   {"one_target", options.one_target},
                   {"seed", options.seed}});
  return document;
}

experiment::Options experiment_from_json(json document) {
  experiment::Options options;
  options.instances = 1;
  const auto take = [&](const char* key, auto& value) {
    document.at(key).get_to(value);
    document.erase(key);
  };
  options.one_target = document.value("one_target", false);
  document.erase("one_target");
  take("d", options.d);
  take("instance", options.first_instance);
  take("seed", options.seed);
  base::read(document, static_cast<experiment::TrainerOptions&>(options), "the experiment of a task");
  return options;
}

/// Times differ from run to run; all else is a function of the task.
json without_times(json figures) {
  if (figures.contains("diagnostics")) figures["diagnostics"].erase("seconds");
  figures.erase("seconds");
  return figures;
}

/// NaN and infinity are null in every document, also before they were written and read.
json as_written(const json& figures) { return base::parse_json(base::json_text(figures)); }

Outcome::Status status_of(bool converged) {
  return converged ? Outcome::Status::converged : Outcome::Status::unconverged;
}

/// What a target is: a file may change under its name, so that its eigenvalues count.
json content_of(const model::Target& target) {
  if (const auto* atoms = target.spectrum().discrete(); atoms && target.spec().starts_with("file:"))
    return {{"atoms", atoms->atoms}, {"weights", atoms->weights}};
  return target.spec();
}

json lambda_json(const model::Problem& problem) { return model::to_json(problem).at("lambda"); }

/// The neighbour's solution, unless it is S = 0, which is a fixed point of its own.
std::optional<theory::Overlaps> start_at(const Outcome* predecessor) {
  if (!predecessor || predecessor->status != Outcome::Status::converged) return std::nullopt;
  const json& overlaps = predecessor->figures.at("overlaps");
  const theory::Overlaps start{overlaps.at("q"), overlaps.at("m"), overlaps.at("V"), overlaps.value("q_a", 0.0),
                               overlaps.value("V_a", 0.0)};
  if (!(start.q > 0 && start.V > 0)) return std::nullopt;
  return start;
}

Outcome solve_theory(const Task& task, const Outcome* predecessor) {
  theory::SolveOptions options;
  options.accuracy = task.accuracy;
  if (task.continued) options.start = start_at(predecessor);
  if (task.errors_alone) options.detail = theory::Detail::errors;
  const theory::Solution solution = theory::solve(task.problem, options);
  Outcome outcome;
  outcome.status = status_of(solution.diagnostics.converged);
  outcome.figures = without_times(theory::to_json(solution));
  for (const char* repeated : {"schema", "command", "problem"}) outcome.figures.erase(repeated);
  if (task.errors_alone) {
    outcome.figures.erase("spectrum");
    // A replicon that is infinite, as at a rank constraint, is null in a document.
    if (std::isinf(solution.diagnostics.replicon)) outcome.arrays = {{"replicon", {solution.diagnostics.replicon}}};
  }
  outcome.figures["lambda"] = lambda_json(solution.problem);
  if (task.density && solution.diagnostics.converged && !task.problem.untied_self()) {
    theory::TrainedLaw::Curve curve = theory::TrainedLaw(solution, task.problem.target_law()).density();
    outcome.arrays = {{"s", std::move(curve.s)}, {"density", std::move(curve.density)}};
  }
  return outcome;
}

/// The problem with the λ that its theory found.
model::Problem trainable(const model::Problem& problem, const Outcome* predecessor) {
  if (!theory_finds_lambda(problem)) return problem;
  if (!predecessor || predecessor->status != Outcome::Status::converged)
    throw std::runtime_error("the theory found no lambda = " + model::lambda_text(problem) + " to train with");
  model::Problem result = with_found_lambda(problem, predecessor->figures.at("lambda"));
  require_trainable(result);
  return result;
}

void add_trajectory(const std::vector<experiment::Iterate>& trajectory, std::vector<Array>& arrays) {
  if (trajectory.empty()) return;
  base::for_each_field(base::detail::description_of<experiment::Iterate>(), [&](const base::Field& figure) {
    Array& column = arrays.emplace_back(Array{"trajectory_" + figure.name, {}});
    for (const experiment::Iterate& iterate : trajectory) column.values.push_back(figure.get(&iterate).get<double>());
  });
}

Outcome run_experiment(const Task& task, const Outcome* predecessor, int threads) {
  const model::Problem problem = trainable(task.problem, predecessor);
  experiment::Options options = task.experiment;
  options.instances = 1;
  options.threads = threads;
  const experiment::Experiment experiment = experiment::run(problem, options);
  const experiment::Instance& instance = experiment.instances.front();
  theory::SolveOptions accuracy;
  accuracy.accuracy = task.accuracy;
  const theory::Solution own = theory_of(problem, instance, accuracy);
  Outcome outcome;
  outcome.status = status_of(instance.converged && own.diagnostics.converged);
  outcome.figures = without_times(to_json(problem, instance, prediction_of(own)));
  outcome.figures.erase("trajectory");
  outcome.figures["n"] = experiment.n;
  outcome.figures["lambda"] = lambda_json(problem);
  outcome.figures["theory"]["converged"] = own.diagnostics.converged;
  outcome.arrays = {{"eigenvalues", instance.spectrum()}, {"target_eigenvalues", instance.target_eigenvalues}};
  add_trajectory(instance.trajectory, outcome.arrays);
  return outcome;
}

Outcome solve_scaling(const Task& task, int threads) {
  theory::ScalingOptions options;
  options.solve.accuracy = task.accuracy;
  options.threads = threads;
  const theory::ScalingCurve curve = theory::scaling_curve(task.problem, task.n, options);
  bool converged = true;
  for (const theory::ScalingPoint& point : curve.points) converged &= point.solution.diagnostics.converged;
  Outcome outcome;
  outcome.status = status_of(converged);
  outcome.figures = theory::to_json(curve);
  return outcome;
}

Outcome find_thresholds(const Task& task) {
  std::optional<theory::SolveOptions> detachment;
  if (task.detachment) detachment.emplace().accuracy = task.accuracy;
  const Thresholds found = thresholds(task.problem, detachment);
  Outcome outcome;
  outcome.status = status_of(found.converged);
  outcome.figures = base::json_of(found);
  return outcome;
}

Outcome compute(const Task& task, const Outcome* predecessor, int threads) {
  switch (task.kind) {
    case TaskKind::experiment:
      return run_experiment(task, predecessor, threads);
    case TaskKind::scaling:
      return solve_scaling(task, threads);
    case TaskKind::thresholds:
      return find_thresholds(task);
    case TaskKind::theory:
      break;
  }
  return solve_theory(task, predecessor);
}

}  // namespace

std::span<const base::Named<TaskKind>> names_table(TaskKind) { return kKinds; }

json to_json(const Task& task) {
  json document{{"kind", name(task.kind)}, {"problem", model::to_json(task.problem)}};
  if (task.kind == TaskKind::scaling || task.kind == TaskKind::thresholds) document["problem"].erase("alpha");
  // But for the detachment thresholds do not read λ, and are exact.
  if (task.kind == TaskKind::thresholds && !task.detachment)
    document["problem"].erase("lambda");
  else
    document["accuracy"] = task.accuracy;
  if (task.kind == TaskKind::theory) document.update({{"continued", task.continued}, {"density", task.density}});
  // Not named where it is not so: keys of other tasks stay what they were.
  if (task.errors_alone) document["errors_alone"] = true;
  if (task.detachment) document["detachment"] = true;
  if (task.kind == TaskKind::experiment) document["experiment"] = experiment_json(task.experiment);
  if (task.kind == TaskKind::scaling) document["n"] = task.n;
  return document;
}

Task task_from_json(const json& document) {
  try {
    Task task;
    task.kind = base::value_of<TaskKind>("kind", document.at("kind").get<std::string>());
    json problem = document.at("problem");
    // Any value will do for an option that the kind does not read.
    if (!problem.contains("alpha")) problem["alpha"] = 1;
    if (!problem.contains("lambda") && problem.value("student", "tied") != "bayes") problem["lambda"] = "0+";
    task.problem = model::problem_from_json(problem);
    task.accuracy = document.value("accuracy", task.accuracy);
    task.continued = document.value("continued", false);
    task.density = document.value("density", false);
    task.errors_alone = document.value("errors_alone", false);
    task.detachment = document.value("detachment", false);
    if (task.kind == TaskKind::experiment) task.experiment = experiment_from_json(document.at("experiment"));
    if (task.kind == TaskKind::scaling) task.n = document.at("n").get<std::vector<double>>();
    return task;
  } catch (const json::exception& error) {
    base::reject("this is not a task: {}", error.what());
  }
}

std::string key(const Task& task, const std::string& code, const std::string& predecessor) {
  json document = to_json(task);
  document["problem"]["target"] = content_of(task.problem.target);
  document["code"] = code;
  if (!predecessor.empty()) document["predecessor"] = predecessor;
  const std::string text = base::json_text(document);
  const XXH128_hash_t hash = XXH3_128bits(text.data(), text.size());
  return fmt::format("{:016x}{:016x}", hash.high64, hash.low64);
}

base::Evidence evidence(const Task& task) {
  return task.kind == TaskKind::experiment ? base::Evidence::simulated : theory::evidence(task.problem);
}

std::string target_hash(const model::Target& target) {
  const std::string text = base::json_text(content_of(target));
  return fmt::format("{:016x}", XXH3_64bits(text.data(), text.size()));
}

Outcome perform(const Task& task, const Outcome* predecessor, int threads) {
  const auto begin = std::chrono::steady_clock::now();
  Outcome outcome;
  try {
    outcome = compute(task, predecessor, threads);
    outcome.figures["evidence"] = base::name(evidence(task));
    outcome.figures = as_written(outcome.figures);
  } catch (const std::bad_alloc&) {
    throw;
  } catch (const std::system_error&) {
    throw;
  } catch (const std::exception& error) {
    outcome = {};
    outcome.status = Outcome::Status::failed;
    outcome.error = error.what();
  }
  outcome.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  return outcome;
}

}  // namespace attnlaw::study
