#include "attnlaw/study/learning_curve.h"

#include "attnlaw/base/instances.h"

namespace attnlaw::study {

std::vector<model::Problem> along(const model::Problem& problem, double model::Problem::*variable,
                                  std::span<const double> values) {
  std::vector<model::Problem> problems(values.size(), problem);
  for (std::size_t i = 0; i < values.size(); ++i) {
    problems[i].*variable = values[i];
    if (variable == &model::Problem::lambda) problems[i].lambda_rule = model::LambdaRule::value;
  }
  return problems;
}

std::vector<theory::Solution> solve_each(std::span<const model::Problem> problems, const theory::SolveOptions& options,
                                         int threads, const std::function<void(int, int)>& progress) {
  return base::run_instances(
      static_cast<int>(problems.size()), threads, [&](std::size_t i) { return theory::solve(problems[i], options); },
      progress);
}

}  // namespace attnlaw::study
