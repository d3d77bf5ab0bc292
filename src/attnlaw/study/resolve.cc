#include "attnlaw/study/resolve.h"

#include "attnlaw/base/reject.h"

namespace attnlaw::study {

void require_trainable(const model::Problem& problem) {
  if (problem.student == model::Student::bayes || problem.lambda_rule == model::LambdaRule::value) return;
  base::reject("an experiment needs lambda to be a number > 0, and the best one here is {}",
               model::lambda_text(problem));
}

model::Problem with_some_lambda(const model::Problem& problem) {
  model::Problem result = problem;
  if (problem.lambda_rule == model::LambdaRule::optimal) result.lambda_rule = model::LambdaRule::value;
  return result;
}

Trainable resolve_lambda(const model::Problem& problem, const theory::SolveOptions& options) {
  if (problem.lambda_rule != model::LambdaRule::optimal) return {problem, std::nullopt};
  const theory::Solution solution = theory::solve(problem, options);
  require_trainable(solution.problem);
  return {solution.problem, solution.optimal_lambda};
}

}  // namespace attnlaw::study
