#include "attnlaw/operations/experiment_options.h"

#include <fmt/format.h>

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

experiment::Options at_dimension(experiment::Options options, int d, const Run& run) {
  options.d = d;
  options.seed = run.seed;
  options.threads = run.threads;
  options.progress = progress_of(run, fmt::format("d = {}", d));
  return options;
}

}  // namespace attnlaw::operations
