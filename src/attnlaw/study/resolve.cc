#include "attnlaw/study/resolve.h"

#include <nlohmann/json.hpp>

#include "attnlaw/base/reject.h"

namespace attnlaw::study {

void require_trainable(const model::Problem& problem) {
  if (problem.lambda_known()) return;
  base::reject("an experiment needs lambda to be a number > 0, and the best one here is {}",
               model::lambda_text(problem));
}

bool theory_finds_lambda(const model::Problem& problem) {
  return problem.lambda_rule == model::LambdaRule::optimal || problem.lambda_rule == model::LambdaRule::edge;
}

model::Problem with_some_lambda(const model::Problem& problem) {
  model::Problem result = problem;
  if (theory_finds_lambda(problem)) result.lambda_rule = model::LambdaRule::value;
  return result;
}

model::Problem with_found_lambda(model::Problem problem, const nlohmann::json& lambda) {
  if (lambda.is_number() && lambda > 0) {
    problem.lambda = lambda.get<double>();
    problem.lambda_rule = model::LambdaRule::value;
  } else if (lambda.is_number() || lambda == "0+") {
    problem.lambda_rule = model::LambdaRule::ridgeless;
  }
  return problem;
}

Trainable resolve_lambda(const model::Problem& problem, const theory::SolveOptions& options) {
  if (!theory_finds_lambda(problem)) return {problem, std::nullopt};
  const theory::Solution solution = theory::solve(problem, options);
  require_trainable(solution.problem);
  return {solution.problem, solution.optimal_lambda};
}

}  // namespace attnlaw::study
