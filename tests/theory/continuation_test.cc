/// Solutions along α.

#include "attnlaw/theory/continuation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

namespace attnlaw::theory {
namespace {

std::vector<double> grid(double from, double to, int count) {
  std::vector<double> alphas;
  for (int i = 0; i < count; ++i) alphas.push_back(from * std::pow(to / from, i / (count - 1.0)));
  return alphas;
}

SolveOptions coarse() {
  SolveOptions options;
  options.accuracy = 1e-2;
  return options;
}

TEST(Continuation, OfOneBranchIsThePointwiseSolution) {
  for (const model::Head head : {model::Head::softmax, model::Head::linear})
    for (const model::Student student : {model::Student::tied, model::Student::direct}) {
      model::Problem problem;
      problem.head = head;
      problem.student = student;
      const auto alphas = grid(0.05, 1.5, 12);
      const Continuation result = continue_in_alpha(problem, alphas, coarse());
      EXPECT_TRUE(result.converged);
      ASSERT_EQ(result.branches.size(), 1u);
      EXPECT_EQ(result.branches[0].name, "both");
      EXPECT_TRUE(result.spinodals.empty());
      ASSERT_EQ(result.branches[0].points.size(), alphas.size());
      for (std::size_t i = 0; i < alphas.size(); i += 4) {
        problem.alpha = alphas[i];
        const Solution solution = solve(problem, coarse());
        EXPECT_NEAR(result.branches[0].points[i].errors.estimation, solution.errors.estimation,
                    2e-2 * solution.errors.estimation);
        EXPECT_NEAR(result.branches[0].points[i].replicon, solution.diagnostics.replicon,
                    0.1 * solution.diagnostics.replicon);
        EXPECT_TRUE(result.branches[0].points[i].lowest);
      }
    }
}

TEST(Continuation, LeavesTheZeroStudentContinuously) {
  model::Problem problem;
  problem.lambda = 0.5;
  problem.target = model::Target::parse("spikes:20,4.5");
  const Continuation result = continue_in_alpha(problem, grid(0.01, 1, 20), coarse());
  ASSERT_EQ(result.branches.size(), 1u);
  EXPECT_TRUE(result.spinodals.empty());
  EXPECT_EQ(result.branches[0].points.front().overlaps.q, 0);
  EXPECT_GT(result.branches[0].points.back().overlaps.q, 0);
}

TEST(Continuation, RejectsWhatItCannotFollow) {
  const auto rejects = [](const model::Problem& problem, const std::vector<double>& alphas, const char* message) {
    EXPECT_THAT([&] { continue_in_alpha(problem, alphas, coarse()); },
                testing::ThrowsMessage<std::invalid_argument>(testing::HasSubstr(message)));
  };
  rejects({}, {1}, "at least 2 values of alpha, got 1");
  rejects({}, {1, 0.5}, "ascending order, got 0.5");
  rejects({}, {-1, 0.5}, "got -1");
  model::Problem ridgeless;
  ridgeless.lambda_rule = model::LambdaRule::ridgeless;
  rejects(ridgeless, {1, 2}, "lambda 0+");
}

}  // namespace
}  // namespace attnlaw::theory
