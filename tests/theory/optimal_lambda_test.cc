/// The penalty of least test error.

#include "attnlaw/theory/optimal_lambda.h"

#include <gtest/gtest.h>

#include <cmath>

namespace attnlaw::theory {
namespace {

model::Problem optimal(double alpha, double noise) {
  model::Problem problem;
  problem.alpha = alpha;
  problem.noise = noise;
  problem.lambda_rule = model::LambdaRule::optimal;
  return problem;
}

TEST(OptimalLambda, IsAMinimumWithTheStatedCurvature) {
  for (const model::Head head : {model::Head::linear, model::Head::softmax})
    for (const model::Student student : {model::Student::tied, model::Student::direct}) {
      model::Problem problem = optimal(0.5, 0.5);
      problem.head = head;
      problem.student = student;
      SolveOptions options;
      options.accuracy = 1e-3;
      const Solution best = solve(problem, options);
      ASSERT_TRUE(best.optimal_lambda);
      EXPECT_EQ(best.optimal_lambda->where, "interior");
      EXPECT_TRUE(best.diagnostics.converged) << best.diagnostics.message;
      EXPECT_EQ(best.problem.lambda_rule, model::LambdaRule::value);
      EXPECT_GT(best.optimal_lambda->curvature, 0);
      // Away from the minimum by h in log λ: test + curvature h²/2, and cubic terms that cancel between ±h.
      constexpr double kStep = 0.5;
      double rise = 0;
      for (const double step : {-kStep, kStep}) {
        model::Problem near = best.problem;
        near.lambda *= std::exp(step);
        const double test = solve(near, options).errors.test;
        EXPECT_GT(test, best.errors.test);
        rise += 0.5 * (test - best.errors.test);
      }
      EXPECT_NEAR(rise, 0.5 * best.optimal_lambda->curvature * kStep * kStep, 0.2 * rise);
    }
}

TEST(OptimalLambda, OfADirectStudentOnALinearHeadIsTheBayesianOne) {
  // Ridge regression of Gaussian scores is best at the signal-to-noise ratio: its E equals the posterior variance of a
  // Gaussian S* of the same second moment, E(1 + 2αK/(E + Δ))= Q* with per-entry prior variance Q*: 1/E = 1/Q* +
  // 2αK/(E + Δ).
  for (const double noise : {0.3, 100.0}) {
    model::Problem problem = optimal(0.4, noise);
    problem.head = model::Head::linear;
    problem.student = model::Student::direct;
    const Solution best = solve(problem);
    const double E = best.errors.estimation;
    EXPECT_EQ(best.optimal_lambda->where, "interior");
    EXPECT_NEAR(1 / E, 1 / 1.5 + 2 * 0.4 * 3 / (E + noise), 1e-5 / E);
  }
}

TEST(OptimalLambda, OfLittleNoiseIsTheLeastOfItsNeighbours) {
  // The least of a fine scan, at 6.87e-5, 2.00e-5 and 6.16e-6.
  for (const double noise : {1e-4, 1e-5, 1e-6}) {
    const Solution best = solve(optimal(0.3, noise));
    for (const double factor : {0.8, 0.93, 1.07, 1.25}) {
      model::Problem near = best.problem;
      near.lambda *= factor;
      EXPECT_GT(solve(near).errors.test, best.errors.test) << noise << " " << factor;
    }
  }
}

TEST(OptimalLambda, WithoutNoiseIsNone) {
  const Solution solution = solve(optimal(0.3, 0));
  EXPECT_EQ(solution.optimal_lambda->where, "0+");
  EXPECT_EQ(solution.optimal_lambda->lambda, 0);
  EXPECT_EQ(solution.errors.estimation, 0);
}

TEST(OptimalLambda, WithoutNoiseIsNoneBelowRecoveryToo) {
  model::Problem problem = optimal(0.15, 0);
  problem.head = model::Head::linear;
  problem.student = model::Student::direct;
  const Solution solution = solve(problem);
  EXPECT_EQ(solution.optimal_lambda->where, "0+");
  EXPECT_NEAR(solution.errors.estimation, (1 - 2 * 0.15 * 3) * 1.5, 1e-8);
}

TEST(OptimalLambda, IsNoneWhereTheLimitIsExact) {
  // A small λ leaves an error, however small; the limit none.
  model::Problem spike = optimal(1, 0), linear = optimal(0.3513, 0), many = optimal(12.46, 0);
  spike.target = model::Target::parse("spikes:20,1");
  linear.target = model::Target::parse("spikes:20,1.288");
  linear.head = model::Head::linear;
  linear.tokens = 5;
  many.target = model::Target::parse("powerlaw:1.12,60,32");
  for (const model::Problem& problem : {spike, linear, many}) {
    const Solution solution = solve(problem);
    EXPECT_EQ(solution.optimal_lambda->where, "0+");
    EXPECT_EQ(solution.optimal_lambda->lambda, 0);
    EXPECT_EQ(solution.errors.test, 0);
    EXPECT_EQ(solution.problem.lambda_rule, model::LambdaRule::ridgeless);
  }
}

TEST(OptimalLambda, OfANegativeTargetTrainsNothing) {
  // S = QQᵀ/√(κd) has no negative eigenvalue: S = 0 is best at every λ, and E = Q*.
  model::Problem problem = optimal(1, 0);
  problem.head = model::Head::linear;
  problem.target = model::Target::parse("spikes:1,-1");
  const Solution solution = solve(problem);
  EXPECT_EQ(solution.optimal_lambda->where, "S = 0");
  EXPECT_EQ(solution.optimal_lambda->lambda, 0);
  EXPECT_EQ(solution.errors.estimation, solution.Q_star);
}

TEST(OptimalLambda, OfHopelessDataTrainsNothing) {
  const Solution solution = solve(optimal(0.02, 1e4));
  EXPECT_EQ(solution.optimal_lambda->where, "S = 0");
  EXPECT_EQ(solution.overlaps.q, 0);
}

TEST(OptimalLambda, KeepsToTheTimeLimit) {
  model::Problem problem = optimal(0.3, 0.5);
  problem.tokens = 3;
  SolveOptions options;
  options.accuracy = 1e-4;
  options.time_limit = 1e-9;
  const Solution hasty = solve(problem, options);
  EXPECT_NE(hasty.diagnostics.message.find("more time than the limit leaves"), std::string::npos)
      << hasty.diagnostics.message;
  EXPECT_EQ(hasty.optimal_lambda->where, "interior");
  options = SolveOptions{};
  const Solution patient = solve(problem, options);
  EXPECT_LT(hasty.diagnostics.points, patient.diagnostics.points);
  constexpr double kErrors = 4;
  EXPECT_NEAR(hasty.errors.test, patient.errors.test, kErrors * hasty.diagnostics.sampling_error.test);
}

TEST(CollapseLambda, IsWhereTheStudentVanishes) {
  model::Problem problem = optimal(0.3, 0);
  const double collapse = collapse_lambda(problem, problem.target.spectrum());
  problem.lambda_rule = model::LambdaRule::value;
  problem.lambda = 0.99 * collapse;
  EXPECT_GT(solve(problem).overlaps.q, 0);
  problem.lambda = 1.01 * collapse;
  EXPECT_EQ(solve(problem).overlaps.q, 0);
}

}  // namespace
}  // namespace attnlaw::theory
