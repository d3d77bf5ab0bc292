#pragma once
/// The plan that run and require_feasible (experiment.h) share.

#include "attnlaw/experiment/experiment.h"

namespace attnlaw::experiment {

/// The division of threads: instances at the same time, and threads inside each.
struct Threads {
  int instances = 1;
  int inside = 1;
};

Threads share_threads(const Options& options);

/// Options::tolerance, or the default of the precision (of λ = 1 for the student bayes, which has none).
double tolerance_of(const model::Problem& problem, const Options& options);

}  // namespace attnlaw::experiment
