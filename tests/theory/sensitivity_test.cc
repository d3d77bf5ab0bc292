/// Derivatives of errors against differences of solutions.

#include "attnlaw/theory/sensitivity.h"

#include <gtest/gtest.h>

#include <cmath>
#include <stdexcept>
#include <utility>

#include "attnlaw/theory/solve.h"

namespace attnlaw::theory {
namespace {

SolveOptions asked(double accuracy) {
  SolveOptions options;
  options.accuracy = accuracy;
  options.sensitivities = true;
  return options;
}

/// Central differences over `share` of a parameter, whose own error is of the order of its square.
void expect_differences(const model::Problem& problem, double accuracy, double tolerance) {
  const Solution solution = solve(problem, asked(accuracy));
  ASSERT_TRUE(solution.sensitivities);
  const auto check = [&](Parameter parameter, const Errors& slope, const char* name) {
    constexpr double kShare = 5e-3;
    model::Problem above = problem, below = problem;
    above.*parameter *= 1 + kShare, below.*parameter *= 1 - kShare;
    const double width = above.*parameter - below.*parameter;
    SolveOptions options;
    options.accuracy = accuracy;
    const Errors high = solve(above, options).errors, low = solve(below, options).errors;
    for (double Errors::*figure : {&Errors::train, &Errors::test, &Errors::estimation, &Errors::objective}) {
      const double difference = (high.*figure - low.*figure) / width;
      const double scale = std::abs(difference) + solution.errors.*figure / (problem.*parameter);
      EXPECT_NEAR(slope.*figure, difference, tolerance * scale) << name;
    }
  };
  check(&model::Problem::alpha, solution.sensitivities->alpha, "alpha");
  check(&model::Problem::lambda, solution.sensitivities->lambda.value(), "lambda");
  check(&model::Problem::noise, solution.sensitivities->noise, "noise");
  check(&model::Problem::beta, solution.sensitivities->beta, "beta");
}

model::Problem problem_of(int tokens, double alpha, double lambda, double noise) {
  model::Problem problem;
  problem.tokens = tokens;
  problem.alpha = alpha;
  problem.lambda = lambda;
  problem.noise = noise;
  problem.beta = 1.2;
  return problem;
}

TEST(Sensitivities, AreDifferencesOfSolutions) {
  expect_differences(problem_of(2, 0.3, 0.05, 0.2), 1e-6, 2e-4);
  model::Problem entropy = problem_of(2, 0.3, 0.05, 0.2);
  entropy.loss = model::Loss::cross_entropy;
  expect_differences(entropy, 1e-6, 2e-4);
  model::Problem direct = problem_of(2, 0.4, 0.1, 0.3);
  direct.student = model::Student::direct;
  expect_differences(direct, 1e-6, 2e-4);
}

TEST(Sensitivities, OfASmallPenaltyAreDifferencesToo) {
  // Close to perfect recovery (E = 1.4e-4 at the second) errors are small differences of overlaps.
  for (const auto& [lambda, share] : {std::pair(1e-3, 1e-3), {1e-5, 3e-3}}) {
    const model::Problem problem = problem_of(2, 0.3, lambda, 0);
    const Solution solution = solve(problem, asked(1e-6));
    ASSERT_TRUE(solution.sensitivities);
    model::Problem above = problem, below = problem;
    above.lambda *= 1.01, below.lambda *= 0.99;
    SolveOptions options;
    options.accuracy = 1e-6;
    const Errors high = solve(above, options).errors, low = solve(below, options).errors;
    for (double Errors::*figure : {&Errors::test, &Errors::estimation}) {
      const double difference = (high.*figure - low.*figure) / (0.02 * lambda);
      EXPECT_NEAR(solution.sensitivities->lambda.value().*figure, difference, share * std::abs(difference)) << lambda;
    }
  }
}

TEST(Sensitivities, OfAClosedFormAreExact) {
  model::Problem linear = problem_of(2, 0.5, 0.1, 0.3);
  linear.head = model::Head::linear;
  linear.beta = 1;
  const Solution solution = solve(linear, asked(1e-3));
  const auto difference = [&](Parameter parameter, double Errors::*figure) {
    constexpr double kStep = 1e-3;
    model::Problem above = linear, below = linear;
    above.*parameter += kStep, below.*parameter -= kStep;
    return (solve(above).errors.*figure - solve(below).errors.*figure) / (2 * kStep);
  };
  for (double Errors::*figure : {&Errors::train, &Errors::test, &Errors::estimation}) {
    EXPECT_NEAR(solution.sensitivities->alpha.*figure, difference(&model::Problem::alpha, figure), 1e-4);
    EXPECT_NEAR(solution.sensitivities->noise.*figure, difference(&model::Problem::noise, figure), 1e-4);
  }
}

TEST(Sensitivities, OfSobolPointsAreThoseOfTheSamePoints) {
  // Solutions on the same points: their sampling errors cancel in differences.
  expect_differences(problem_of(3, 0.15, 0.05, 0.2), 1e-2, 2e-3);
}

TEST(Sensitivities, OfTheObjectiveAreEnvelopeAndPenalty) {
  // The objective is a minimum over S: d/dλ = Tr S/d. One more sequence adds the Moreau envelope of its loss, what is
  // left of it and the work on the student: d/dα = train + V q̂/(4α).
  const model::Problem problem = problem_of(2, 0.3, 0.05, 0);
  const Solution solution = solve(problem, asked(1e-5));
  const Errors& errors = solution.errors;
  EXPECT_NEAR(solution.sensitivities->alpha.objective,
              errors.train + solution.overlaps.V * solution.conjugates.q_hat / (4 * 0.3), 1e-5);
  EXPECT_NEAR(solution.sensitivities->lambda->objective, (errors.objective - 0.3 * errors.train) / 0.05, 1e-5);
}

TEST(Sensitivities, WithoutNoiseAreThoseFromAbove) {
  const Solution without = solve(problem_of(2, 0.3, 0.05, 0), asked(1e-6));
  SolveOptions options;
  options.accuracy = 1e-6;
  constexpr double kNoise = 1e-3;
  const Errors above = solve(problem_of(2, 0.3, 0.05, kNoise), options).errors;
  EXPECT_NEAR(without.sensitivities->noise.test, (above.test - without.errors.test) / kNoise,
              5e-3 * without.sensitivities->noise.test);
}

TEST(Sensitivities, WhereNothingIsTrainedAreThoseOfTheLabels) {
  const Solution collapsed = solve(problem_of(2, 0.1, 2, 0.5), asked(1e-4));
  ASSERT_EQ(collapsed.overlaps.q, 0);
  EXPECT_NEAR(collapsed.sensitivities->alpha.test, 0, 1e-10);
  EXPECT_NEAR(collapsed.sensitivities->lambda->train, 0, 1e-10);
  EXPECT_GT(collapsed.sensitivities->noise.train, 0);
}

TEST(Sensitivities, AreRefusedWhereThereAreNone) {
  model::Problem bayes = problem_of(2, 0.3, 0.05, 0.2);
  bayes.student = model::Student::bayes;
  bayes.lambda_rule = model::LambdaRule::none;
  EXPECT_THROW(solve(bayes, asked(1e-3)), std::invalid_argument);
  model::Problem edge = problem_of(2, 0.3, 0.05, 0.2);
  edge.lambda_rule = model::LambdaRule::edge;
  EXPECT_THROW(solve(edge, asked(1e-3)), std::invalid_argument);
}

}  // namespace
}  // namespace attnlaw::theory
