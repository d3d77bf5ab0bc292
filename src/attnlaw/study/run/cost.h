#pragma once
/// Forecasts the time that a study will take on this machine.

#include <cstdint>
#include <vector>

#include "attnlaw/study/study.h"

namespace attnlaw::study {

struct Cost {
  double seconds = 0;       ///< seconds of one thread
  std::uint64_t bytes = 0;  ///< peak, of an experiment; 0 for theory
};

/// About the seconds of one thread of the machine of docs/performance.md, right to a factor of two or three; takes no
/// time to find out.
double estimated_seconds(const Task& task);

/// Calibrated by running sample tasks of every part (theory at its ends and middle, experiments at a small d, scaled
/// by their products) for up to about `budget` seconds in all. Aligned with Study::tasks.
std::vector<Cost> estimate_costs(const Study& study, double budget);

}  // namespace attnlaw::study
