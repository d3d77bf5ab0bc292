#include "attnlaw/study/learning_curve.h"

#include "attnlaw/base/parallel.h"

namespace attnlaw::study {

std::vector<model::Problem> along_alpha(const model::Problem& problem, std::span<const double> alphas) {
  std::vector<model::Problem> problems(alphas.size(), problem);
  for (std::size_t i = 0; i < alphas.size(); ++i) problems[i].alpha = alphas[i];
  return problems;
}

std::vector<model::Problem> along_lambda(const model::Problem& problem, std::span<const double> lambdas) {
  std::vector<model::Problem> problems(lambdas.size(), problem);
  for (std::size_t i = 0; i < lambdas.size(); ++i) {
    problems[i].lambda = lambdas[i];
    problems[i].lambda_rule = model::LambdaRule::value;
  }
  return problems;
}

std::vector<theory::Solution> solve_each(std::span<const model::Problem> problems, const theory::SolveOptions& options,
                                         int threads, const std::function<void(int, int)>& progress) {
  std::vector<theory::Solution> solutions(problems.size());
  base::parallel_for(
      problems.size(), threads, [&](std::size_t i) { solutions[i] = theory::solve(problems[i], options); }, progress);
  return solutions;
}

}  // namespace attnlaw::study
