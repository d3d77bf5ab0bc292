#include "attnlaw/study/learning_curve.h"

#include <gtest/gtest.h>

namespace attnlaw::study {
namespace {

TEST(LearningCurve, GridHasEqualRatiosAndExactEnds) {
  const std::vector<double> grid = geometric_grid(0.05, 2, 40);
  ASSERT_EQ(grid.size(), 40u);
  EXPECT_EQ(grid.front(), 0.05);
  EXPECT_EQ(grid.back(), 2);
  for (std::size_t i = 2; i < grid.size(); ++i) EXPECT_NEAR(grid[i] / grid[i - 1], grid[1] / grid[0], 1e-12);
}

TEST(LearningCurve, SameBitsOnAnyNumberOfThreads) {
  model::Problem problem;
  problem.head = model::Head::linear;
  problem.lambda = 0.1;
  const auto problems = along_alpha(problem, geometric_grid(0.1, 2, 7));
  int reported = 0;
  const auto one = solve_each(problems, {}, 1, [&](int done, int total) {
    EXPECT_EQ(done, ++reported);
    EXPECT_EQ(total, 7);
  });
  const auto three = solve_each(problems, {}, 3);
  for (std::size_t i = 0; i < problems.size(); ++i) {
    EXPECT_EQ(one[i].problem.alpha, problems[i].alpha);
    EXPECT_EQ(one[i].errors.test, three[i].errors.test);
  }
  // More data, less error.
  for (std::size_t i = 1; i < one.size(); ++i) EXPECT_LT(one[i].errors.estimation, one[i - 1].errors.estimation);
}

}  // namespace
}  // namespace attnlaw::study
