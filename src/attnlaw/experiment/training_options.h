#pragma once
/// What every trainer takes.

#include <cstdint>

namespace attnlaw::experiment {

struct TrainingOptions {
  double tolerance = 1e-5;     ///< KKT residual at which training stops (kkt_residual)
  int max_iterations = 20000;  ///< reaching it gives converged = false
  std::uint64_t seed = 0;      ///< with `instance`, keys the initial weights
  std::uint64_t instance = 0;
};

}  // namespace attnlaw::experiment
