#pragma once
/// What simulations of several instances at finite size have in common: options that are refused, memory that is asked
/// for before work begins, threads, and figures over instances.

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

/// How many of the instances are worked on at the same time; threads 0: all available.
int instances_at_a_time(int instances, int threads);

/// Throws MemoryError "`what` needs … bytes of memory, this process may use …; choose `remedy`" if it may not use as
/// many bytes.
void require_memory(double bytes, std::string_view what, std::string_view remedy,
                    std::uint64_t available = memory_limit());

/// {run(0), …, run(count − 1)}, each on one of at most `threads` threads (0: all available). Throws and reports
/// progress as parallel_for.
template <class Run>
auto run_instances(int count, int threads, const Run& run, const std::function<void(int done, int total)>& progress) {
  use_one_blas_thread();
  std::vector<std::invoke_result_t<Run, std::size_t>> instances(static_cast<std::size_t>(count));
  parallel_for(
      instances.size(), threads, [&](std::size_t i) { instances[i] = run(i); }, progress);
  return instances;
}

/// The mean of figure(instance), or of a member, with its standard error over the instances.
template <class Instances, class Figure>
Estimate estimate_over(const Instances& instances, const Figure& figure) {
  std::vector<double> values;
  for (const auto& instance : instances) values.push_back(std::invoke(figure, instance));
  return estimate_of(values);
}

/// The same of one member of measurements that every instance has: into that member of `mean` and `standard_error`.
template <class Instances, class Measurements>
void average_over(const Instances& instances, double Measurements::*figure, Measurements& mean,
                  Measurements& standard_error) {
  const Estimate estimate = estimate_over(instances, figure);
  mean.*figure = estimate.value;
  standard_error.*figure = estimate.standard_error;
}

}  // namespace attnlaw::base
