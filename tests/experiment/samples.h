#pragma once
/// Small experiments, and matrices to evaluate things at.

#include <cstdint>
#include <span>

#include "attnlaw/base/matrix.h"
#include "attnlaw/base/random.h"
#include "attnlaw/experiment/experiment.h"

namespace attnlaw::experiment::samples {

/// On one thread, in double.
inline Options small_run(int d, int instances, std::uint64_t seed) {
  Options options;
  options.d = d;
  options.instances = instances;
  options.seed = seed;
  options.threads = 1;
  options.precision = Precision::double_;
  return options;
}

/// Entries iid N(0, 1); every stream is another matrix.
template <class Result = base::Matrix<double>>
Result gaussian(Eigen::Index rows, Eigen::Index columns, std::uint64_t stream) {
  Result matrix(rows, columns);
  base::NormalStream(77, stream).fill(0, std::span(matrix.data(), static_cast<std::size_t>(matrix.size())));
  return matrix;
}

}  // namespace attnlaw::experiment::samples
