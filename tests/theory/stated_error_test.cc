/// Are stated sampling errors those that solutions have? Problems drawn at random, solved at the default accuracy and
/// far beyond it.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <string>
#include <variant>
#include <vector>

#include "attnlaw/theory/solve.h"
#include "attnlaw/theory/trained_student.h"
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

/// The range that grids are meant for (docs/theory/quadrature.md); half of the labels are noiseless.
model::Problem problem_of_two_tokens(std::mt19937& generator) {
  std::uniform_real_distribution<double> uniform;
  const auto decades = [&](double low, double high) { return low * std::pow(high / low, uniform(generator)); };
  model::Problem problem;
  problem.alpha = decades(0.05, 2);
  problem.lambda = decades(1e-3, 1);
  problem.beta = problem.target_beta = decades(0.5, 3);
  problem.noise = uniform(generator) < 0.5 ? uniform(generator) : 0;
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

/// Grids know their error by construction: that of no figure exceeds three times the largest that is stated.
TEST(StatedError, OfGridsIsNotExceededThreefoldSlow) {
  constexpr int kProblems = 1000;
  constexpr double kAccuracy = 1e-3, kUnits = 3, kReferenceShare = 0.1, kRounding = 1e-8;
  std::mt19937 generator(11);
  int compared = 0;
  for (int tried = 0; compared < kProblems; ++tried) {
    ASSERT_LT(tried, 10 * static_cast<int>(kProblems));
    const model::Problem problem = problem_of_two_tokens(generator);
    SolveOptions options{kAccuracy, {}};
    options.detail = Detail::errors;
    options.time_limit = 0.05;
    const Solution solution = solve(problem, options);
    const double stated = 2 * relative_error(solution.diagnostics.sampling_error, solution.errors);
    if (!solution.diagnostics.converged || !std::holds_alternative<GridRule>(solution.diagnostics.rule) ||
        stated > kAccuracy)
      continue;
    options.accuracy = 1e-6, options.time_limit = 0.5;
    if (solution.overlaps.q > 0) options.start = solution.overlaps;
    const Solution reference = solve(problem, options);
    const double reference_stated = 2 * relative_error(reference.diagnostics.sampling_error, reference.errors);
    if (!reference.diagnostics.converged || reference_stated > kReferenceShare * kAccuracy) continue;
    ++compared;
    for (double Errors::*figure : {&Errors::train, &Errors::test, &Errors::estimation}) {
      const double value = reference.errors.*figure;
      EXPECT_LE(std::abs(solution.errors.*figure - value), (kUnits * (stated + reference_stated) + kRounding) * value)
          << model::to_toml(problem);
    }
  }
}

/// Over the whole range of problems. The objective is stationary, so that most of the errors of its parts cancel in it:
/// its own is the smallest, and the hardest to tell.
TEST(StatedError, OverTheWholeRangeIsRarelyExceededThreefoldSlow) {
  constexpr int kProblems = 500, kMostTokens = 3;
  constexpr double kUnits = 3, kMostBeyond = 0.05, kRounding = 1e-8;
  accuracy::Draw draws(21);
  const std::vector<double Errors::*> figures{&Errors::train, &Errors::test, &Errors::estimation, &Errors::objective};
  std::vector<std::vector<double>> deviations(figures.size());
  for (int tried = 0; deviations.front().size() < kProblems; ++tried) {
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
    for (std::size_t i = 0; i < figures.size(); ++i) {
      const double value = reference.errors.*figures[i];
      const double stated =
          std::hypot(solution.diagnostics.sampling_error.*figures[i], reference.diagnostics.sampling_error.*figures[i]);
      deviations[i].push_back(std::abs(solution.errors.*figures[i] - value) / (stated + kRounding * value));
    }
  }
  for (const std::vector<double>& of_figure : deviations) {
    const auto beyond = std::count_if(of_figure.begin(), of_figure.end(), [](double d) { return d > kUnits; });
    EXPECT_LE(static_cast<double>(beyond), kMostBeyond * kProblems)
        << "figure " << &of_figure - deviations.data() << ", largest "
        << *std::max_element(of_figure.begin(), of_figure.end());
  }
}

}  // namespace
}  // namespace attnlaw::theory
