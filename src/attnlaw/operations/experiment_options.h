#pragma once
/// Experiments among the options of an operation.

#include <nlohmann/json_fwd.hpp>

#include "attnlaw/experiment/experiment.h"
#include "attnlaw/operations/operation.h"

namespace attnlaw::operations {

/// Throws std::invalid_argument for a tolerance that is given and not > 0: 0 is for who leaves it out.
void require_tolerance(const nlohmann::json& options);

/// The trainer of a problem, where the options name none.
void choose_trainer(const nlohmann::json& options, const model::Problem& problem, experiment::Options& experiment);

/// Announces experiments that begin: their instances are shared by threads, and the first of them may take long.
void announce(const Run& run, const model::Problem& problem, const experiment::Options& options);

/// The options of the experiments at one d.
experiment::Options at_dimension(experiment::Options options, int d, const Run& run);

}  // namespace attnlaw::operations
