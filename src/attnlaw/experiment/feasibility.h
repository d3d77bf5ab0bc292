#pragma once
/// Plans an experiment for run and require_feasible (experiment.h).

#include "attnlaw/experiment/experiment.h"

namespace attnlaw::experiment {

/// How threads are divided: so many instances at the same time, and so many threads inside each.
struct Threads {
  int instances = 1;
  int inside = 1;
};

Threads share_threads(const Options& options);

/// Returns Options::tolerance, or the default of the precision (for λ = 1 if the student is bayes, which has none).
double tolerance_of(const model::Problem& problem, const Options& options);

}  // namespace attnlaw::experiment
