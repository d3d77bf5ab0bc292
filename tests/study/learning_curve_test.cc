#include "attnlaw/study/learning_curve.h"

#include <gtest/gtest.h>

#include <cmath>

#include "attnlaw/study/grid.h"

namespace attnlaw::study {
namespace {

TEST(Grid, HasEqualStepsAndExactEnds) {
  const std::vector<double> ratios = grid(0.05, 2, 40, Spacing::geometric);
  ASSERT_EQ(ratios.size(), 40u);
  EXPECT_EQ(ratios.front(), 0.05);
  EXPECT_EQ(ratios.back(), 2);
  for (std::size_t i = 2; i < ratios.size(); ++i) EXPECT_NEAR(ratios[i] / ratios[i - 1], ratios[1] / ratios[0], 1e-12);
  EXPECT_EQ(grid(0, 1, 5, Spacing::linear), (std::vector<double>{0, 0.25, 0.5, 0.75, 1}));
}

TEST(Grid, RefusesWhatIsNoGrid) {
  EXPECT_THROW(grid(1, 1, 5, Spacing::linear), std::invalid_argument);
  EXPECT_THROW(grid(0, 1, 5, Spacing::geometric), std::invalid_argument);
  EXPECT_THROW(grid(0, INFINITY, 5, Spacing::linear), std::invalid_argument);
  EXPECT_THROW(grid(0, 1, 1, Spacing::linear), std::invalid_argument);
}

TEST(LearningCurve, SameBitsOnAnyNumberOfThreads) {
  model::Problem problem;
  problem.head = model::Head::linear;
  problem.lambda = 0.1;
  const auto problems = along(problem, &model::Problem::alpha, grid(0.1, 2, 7, Spacing::geometric));
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
