/// Are stated sampling errors those that solutions have? Problems drawn at random, solved at the default accuracy and
/// far beyond it.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <string>
#include <vector>

#include "attnlaw/theory/solve.h"
#include "random_questions.h"

namespace attnlaw::theory {
namespace {

/// Log-uniform numbers of a problem; half of them have noiseless labels.
model::Problem random_problem(std::mt19937& generator) {
  const auto decades = [&](double low, double high) {
    return low * std::pow(high / low, std::uniform_real_distribution<double>()(generator));
  };
  model::Problem problem;
  problem.alpha = decades(0.05, 2);
  problem.lambda = decades(0.01, 1);
  problem.beta = decades(0.5, 2);
  problem.target_beta = decades(0.5, 2);
  problem.noise = decades(0.1, 1) > 0.3 ? decades(0.05, 0.5) : 0;
  problem.target = model::Target::parse("wishart:" + std::to_string(decades(0.1, 1)));
  return problem;
}

/// The largest deviation of train, test and estimation error and objective from those of accuracy 1e-5, in units of the
/// stated errors of both.
double deviation(const model::Problem& problem) {
  const Solution solution = solve(problem);
  EXPECT_TRUE(solution.diagnostics.converged) << solution.diagnostics.message;
  SolveOptions fine;
  fine.accuracy = 1e-5;
  if (solution.overlaps.q > 0) fine.start = solution.overlaps;
  const Solution reference = solve(problem, fine);
  constexpr double kRounding = 1e-8;
  double largest = 0;
  for (double Errors::*figure : {&Errors::train, &Errors::test, &Errors::estimation, &Errors::objective}) {
    const double value = reference.errors.*figure;
    const double stated =
        std::hypot(solution.diagnostics.sampling_error.*figure, reference.diagnostics.sampling_error.*figure);
    largest = std::max(largest, std::abs(solution.errors.*figure - value) / (stated + kRounding * value));
  }
  return largest;
}

void expect_honest(int problems, model::Problem (*variant)(model::Problem)) {
  std::mt19937 generator(7);
  std::vector<double> deviations;
  for (int i = 0; i < problems; ++i) deviations.push_back(deviation(variant(random_problem(generator))));
  std::sort(deviations.begin(), deviations.end());
  const auto beyond = std::count_if(deviations.begin(), deviations.end(), [](double units) { return units > 3; });
  EXPECT_LE(static_cast<double>(beyond), 0.05 * problems) << "largest " << deviations.back();
  EXPECT_LT(deviations.back(), 20) << "no figure is far from what it claims";
}

TEST(StatedError, IsThatOfTheSquaredLossSlow) {
  expect_honest(60, [](model::Problem problem) { return problem; });
}

TEST(StatedError, IsThatOfTheCrossEntropySlow) {
  expect_honest(60, [](model::Problem problem) {
    problem.loss = model::Loss::cross_entropy;
    return problem;
  });
}

TEST(StatedError, IsThatOfOneEntrySlow) {
  expect_honest(60, [](model::Problem problem) {
    problem.readout = model::Readout::entry;
    return problem;
  });
}

TEST(StatedError, IsThatOfDirectStudentsSlow) {
  expect_honest(60, [](model::Problem problem) {
    problem.student = model::Student::direct;
    return problem;
  });
}

/// The objective is stationary, so that most of the errors of its parts cancel in it: its own is the smallest, and over
/// the whole range of problems the hardest to tell.
TEST(StatedError, OfTheObjectiveIsThatOfTheFreeEnergySlow) {
  constexpr int kProblems = 500, kMostTokens = 3;
  constexpr double kUnits = 3, kMostBeyond = 0.05, kRounding = 1e-8;
  accuracy::Draw draws(21);
  std::vector<double> deviations;
  for (int tried = 0; deviations.size() < kProblems; ++tried) {
    ASSERT_LT(tried, 100 * static_cast<int>(kProblems));
    const model::Problem problem = reliability::draw_problem(draws);
    if (problem.head != model::Head::softmax || std::max(problem.tokens, problem.keys()) > kMostTokens ||
        !problem.penalised() || problem.untied_self() || problem.lambda_rule != model::LambdaRule::value)
      continue;
    SolveOptions options;
    options.detail = Detail::errors;
    options.time_limit = 0.05;
    const Solution solution = solve(problem, options);
    if (!solution.diagnostics.converged) continue;
    options.accuracy = 1e-5, options.time_limit = 0.15;
    if (solution.overlaps.q > 0) options.start = solution.overlaps;
    const Solution reference = solve(problem, options);
    if (!reference.diagnostics.converged) continue;
    const double stated =
        std::hypot(solution.diagnostics.sampling_error.objective, reference.diagnostics.sampling_error.objective);
    deviations.push_back(std::abs(solution.errors.objective - reference.errors.objective) /
                         (stated + kRounding * reference.errors.objective));
  }
  const auto beyond = std::count_if(deviations.begin(), deviations.end(), [](double d) { return d > kUnits; });
  EXPECT_LE(static_cast<double>(beyond), kMostBeyond * kProblems)
      << "largest " << *std::max_element(deviations.begin(), deviations.end());
}

}  // namespace
}  // namespace attnlaw::theory
