/// Problems of random campaigns that were once answered wrongly, or not at all.

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "attnlaw/model/problem.h"
#include "attnlaw/theory/solve.h"

namespace attnlaw::theory {
namespace {

Solution solution_of(const nlohmann::json& problem) { return solve(model::problem_from_json(problem), {}); }

/// Saturated labels: the loss of five rows has minima far from the field of the label. The figures are those of a
/// search on a grid over all of space; a search from the field alone found train 0.189, objective 0.0902.
TEST(FoundAnswers, TheMinimumOfSaturatedLabelsIsTheGlobalOne) {
  const Solution solution = solution_of({{"attention", "cross"},
                                         {"tokens", "5,2"},
                                         {"student", "direct"},
                                         {"target_beta", 6.149},
                                         {"alpha", 0.2857},
                                         {"noise", 2.124},
                                         {"target", "product:0.2803"},
                                         {"lambda", 0.003228}});
  ASSERT_TRUE(solution.diagnostics.converged);
  EXPECT_NEAR(solution.errors.train, 0.1152, 3e-3 * 0.1152);
  EXPECT_NEAR(solution.errors.objective, 0.0735, 3e-3 * 0.0735);
  EXPECT_NEAR(solution.errors.estimation, 10.76, 3e-3 * 10.76);
}

/// Close to S = 0 the overlaps are small beside Q*, which is no failure.
TEST(FoundAnswers, StudentsCloseToNothingConverge) {
  const Solution direct = solution_of({{"tokens", 4},
                                       {"student", "direct"},
                                       {"beta", 0.09024},
                                       {"alpha", 0.03087},
                                       {"noise", 54},
                                       {"target", "wishart:1"},
                                       {"lambda", 2.032}});
  EXPECT_TRUE(direct.diagnostics.converged) << direct.diagnostics.message;
  // Almost nothing is learned: E is close to Q* = 2.
  EXPECT_GT(direct.overlaps.q, 0);
  EXPECT_NEAR(direct.errors.estimation, 2, 2e-3);
  const Solution edge =
      solution_of({{"alpha", 0.3173}, {"noise", 0.09178}, {"target", "spikes:2,0.001"}, {"lambda", "edge"}});
  EXPECT_TRUE(edge.diagnostics.converged) << edge.diagnostics.message;
  EXPECT_NEAR(edge.errors.estimation, edge.Q_star, 1e-4 * edge.Q_star);
}

}  // namespace
}  // namespace attnlaw::theory
