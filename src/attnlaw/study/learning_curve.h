#pragma once
/// The theory of many problems over threads.

#include <functional>
#include <span>
#include <vector>

#include "attnlaw/theory/solve.h"

namespace attnlaw::study {

/// `problem` at each value of a variable, such as &model::Problem::alpha; lambda is a number then, whatever it was.
std::vector<model::Problem> along(const model::Problem& problem, double model::Problem::*variable,
                                  std::span<const double> values);

/// Solves every problem from the uninformed start: the result does not depend on the order or the number of threads (0:
/// all). progress(done, total) is called after each, one call at a time.
std::vector<theory::Solution> solve_each(std::span<const model::Problem> problems, const theory::SolveOptions& options,
                                         int threads, const std::function<void(int, int)>& progress = {});

}  // namespace attnlaw::study
