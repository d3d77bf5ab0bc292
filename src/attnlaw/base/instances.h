#pragma once
/// Serves simulations of several instances at finite size: refuses bad options, asks for memory before work begins,
/// runs instances over threads and averages their figures.

#include <cstdint>
#include <functional>
#include <string_view>
#include <type_traits>
#include <vector>

#include "attnlaw/base/estimate.h"
#include "attnlaw/base/linear_algebra.h"
#include "attnlaw/base/memory.h"
#include "attnlaw/base/parallel.h"

namespace attnlaw::base {

/// Throws std::invalid_argument for threads < 0.
void require_threads(int threads);
/// Throws std::invalid_argument for instances < 1, or threads < 0.
void require_instances(int instances, int threads);

/// Returns how many of the instances are worked on at the same time; threads = 0 means all available.
int instances_at_a_time(int instances, int threads);

/// Returns the bytes of address space that threads which call BLAS take beside their data: buffers of OpenBLAS, stacks
/// and the arenas of the C library; 0 where no limit counts them (`ulimit -v`, `ulimit -d`).
double thread_bytes(int threads);

/// Throws MemoryError "`what` needs 574 GiB of memory, this process may use 1.86 GiB; choose `remedy`" if
/// `bytes` exceeds `available`.
void require_memory(double bytes, std::string_view what, std::string_view remedy,
                    std::uint64_t available = memory_limit());

/// Returns {run(0), …, run(count − 1)}, each computed on one of at most `threads` threads (0: all available).
/// Exceptions and progress are those of parallel_for.
template <class Run>
auto run_instances(int count, int threads, const Run& run, const std::function<void(int done, int total)>& progress) {
  use_one_blas_thread();
  std::vector<std::invoke_result_t<Run, std::size_t>> instances(static_cast<std::size_t>(count));
  parallel_for(
      instances.size(), threads, [&](std::size_t i) { instances[i] = run(i); }, progress);
  return instances;
}

/// Returns the mean of figure(instance), or of a member, with its standard error over the instances.
template <class Instances, class Figure>
Estimate estimate_over(const Instances& instances, const Figure& figure) {
  std::vector<double> values;
  for (const auto& instance : instances) values.push_back(std::invoke(figure, instance));
  return estimate_of(values);
}

/// Averages one member of the measurements of every instance into the same member of `mean` and `standard_error`.
template <class Instances, class Measurements>
void average_over(const Instances& instances, double Measurements::*figure, Measurements& mean,
                  Measurements& standard_error) {
  const Estimate estimate = estimate_over(instances, figure);
  mean.*figure = estimate.value;
  standard_error.*figure = estimate.standard_error;
}

}  // namespace attnlaw::base
