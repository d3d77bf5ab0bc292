#include "attnlaw/operations/experiment_options.h"

#include <fmt/format.h>

#include "attnlaw/base/parallel.h"

namespace attnlaw::operations {

void require_tolerance(const nlohmann::json& options) {
  const auto given = options.find("tolerance");
  if (given != options.end() && given->is_number() && !(given->get<double>() > 0))
    base::reject("--tolerance takes a number > 0 (without it: the default of the precision), got {}",
                 given->get<double>());
}

void choose_trainer(const nlohmann::json& options, const model::Problem& problem, experiment::Options& experiment) {
  if (!options.contains("trainer")) experiment.trainer = experiment::trainers_for(problem).front();
}

void announce(const Run& run, const model::Problem& problem, const experiment::Options& options) {
  study::Task task;
  task.kind = study::TaskKind::experiment;
  task.problem = problem;
  task.experiment = options;
  announce(run, fmt::format("d = {}", options.d), task, options.instances, base::thread_count(options.threads));
}

experiment::Options at_dimension(experiment::Options options, int d, const Run& run) {
  options.d = d;
  options.seed = run.seed;
  options.threads = run.threads;
  options.progress = progress_of(run, fmt::format("d = {}", d));
  return options;
}

}  // namespace attnlaw::operations
