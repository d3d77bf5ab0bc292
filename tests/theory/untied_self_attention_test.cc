/// Untied self-attention: S = W_Q W_Kᵀ of one sequence, whose prior is sampled matrices.

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "attnlaw/theory/prior/numerical_prior.h"
#include "attnlaw/theory/solve.h"

namespace attnlaw::theory {
namespace {

using matrix_laws::WishartSpectrum;

/// κ* = 0.5, scaled to Q* = 1.5.
const matrix_laws::Spectrum kTarget = WishartSpectrum{0.5, 1};
constexpr double kQStar = 1.5;

TEST(NumericalPrior, WithoutPenaltyIsRidgeRegressionOfBothParts) {
  const Conjugates c{0.4, 0.8, 1.1, 0.1, 0.3};
  const auto result = NumericalPrior(kTarget, 1e-9, 40).evaluate(kTarget, c);
  const Overlaps& o = result.overlaps;
  EXPECT_NEAR(o.q, (c.m_hat * c.m_hat * kQStar + c.q_hat) / (c.V_hat * c.V_hat), 1e-7);
  EXPECT_NEAR(o.m, c.m_hat * kQStar / c.V_hat, 1e-7);
  EXPECT_NEAR(o.V, 1 / c.V_hat, 1e-7);
  EXPECT_NEAR(o.q_a, c.q_hat_a / (c.V_hat_a * c.V_hat_a), 1e-7);
  EXPECT_NEAR(o.V_a, 1 / c.V_hat_a, 1e-7);
}

/// ⟨G, S⟩ = λ‖S‖_* for the gradient G of the quadratic part at the minimiser.
TEST(NumericalPrior, IsStationary) {
  constexpr double kLambda = 0.2;
  for (const Conjugates& c : {Conjugates{0.4, 0.8, 1.1, 0.1, 0.3}, Conjugates{0.2, 0.5, 0.3, 0.3, 0.9}}) {
    const auto [o, penalty, zero_mass, law_error] = NumericalPrior(kTarget, kLambda, 60).evaluate(kTarget, c);
    const double pull = c.m_hat * o.m + c.q_hat * o.V + c.q_hat_a * o.V_a;
    EXPECT_NEAR(0.5 * (pull - c.V_hat * o.q - c.V_hat_a * o.q_a), kLambda * penalty, 1e-8);
    EXPECT_GT(zero_mass, 0.1);
  }
}

TEST(NumericalPrior, BelowTheLargestSingularValueNothingIsLearned) {
  const auto result = NumericalPrior(kTarget, 10, 40).evaluate(kTarget, {0.4, 0.8, 1.1, 0.1, 0.3});
  EXPECT_EQ(result.overlaps.q, 0);
  EXPECT_EQ(result.zero_mass, 1);
}

/// Nothing is remembered but in the workspace, and that changes the effort, not the minimiser.
TEST(NumericalPrior, DependsOnNoCallBefore) {
  const NumericalPrior prior(kTarget, 0.2, 40);
  const Conjugates here{0.4, 0.8, 1.1, 0.1, 0.3}, elsewhere{0.2, 0.5, 0.3, 0.3, 0.9};
  const auto numbers = [&](PriorWorkspace* workspace) {
    const auto [o, penalty, zero_mass, law_error] = prior.evaluate(kTarget, here, NumericalPrior::kAll, workspace);
    return std::vector{o.q, o.m, o.V, o.q_a, o.V_a, penalty, zero_mass};
  };
  const std::vector<double> first = numbers(nullptr);
  prior.evaluate(kTarget, elsewhere);
  EXPECT_EQ(numbers(nullptr), first);
  PriorWorkspace workspace;
  EXPECT_EQ(numbers(&workspace), first);
  prior.evaluate(kTarget, elsewhere, NumericalPrior::kAll, &workspace);
  PriorWorkspace copy = workspace;
  const std::vector<double> warm = numbers(&workspace);
  EXPECT_EQ(numbers(&copy), warm);
  EXPECT_EQ(copy.singular_values(), workspace.singular_values());
  EXPECT_EQ(workspace.singular_values().size(), 40u * NumericalPrior::kReplicates);
  for (std::size_t i = 0; i < first.size(); ++i) EXPECT_NEAR(warm[i], first[i], 1e-8);
}

/// Equal stiffness: the singular values of an elliptic matrix. Averages over matrices of dimension 600, drawn
/// independently of this code (standard error 3e-4 to 1e-3; the bias of dimension 100 is of the order of 1 %).
TEST(NumericalPrior, OfEqualStiffnessIsAThresholdOnAnEllipticMatrix) {
  const NumericalPrior prior(kTarget, 0.5, 100), isotropic(kTarget, 0.5, 100, NumericalPrior::Approximation::isotropic);
  const Conjugates c{0.4, 0.8, 1, 0.1, 1};
  const auto result = prior.evaluate(kTarget, c);
  EXPECT_NEAR(result.penalty, 0.2779, 0.01 * 0.2779);
  EXPECT_NEAR(result.overlaps.q + result.overlaps.q_a, 0.3697, 0.01 * 0.3697);
  EXPECT_NEAR(result.overlaps.V, 0.300, 0.012 * 0.300);
  EXPECT_NEAR(result.overlaps.V_a, 0.247, 0.012 * 0.247);
  EXPECT_NEAR(result.overlaps.m, 0.628, 0.01 * 0.628);
  const auto same = isotropic.evaluate(kTarget, c).overlaps;
  EXPECT_NEAR(same.q, result.overlaps.q, 1e-7);
  EXPECT_NEAR(same.V_a, result.overlaps.V_a, 1e-7);
}

model::Problem problem(int tokens, double alpha) {
  model::Problem problem;
  problem.student = model::Student::untied;
  problem.tokens = tokens;
  problem.alpha = alpha;
  problem.lambda = 0.05;
  return problem;
}

/// Against the same equations with one sampled matrix of dimension 200, independent of this code, whose realisations
/// scatter by 1 %.
TEST(UntiedSelfAttention, HasTheErrorsOfSampledMatrices) {
  struct Row {
    int tokens;
    double alpha, q_s, q_a, m, E, train, test;
  };
  constexpr Row kRows[] = {{2, 0.3, 0.503, 0.0407, 0.802, 0.4395, 0.0140, 0.0901},
                           {3, 0.15, 0.555, 0.0251, 0.858, 0.3648, 0.0312, 0.1341}};
  for (const Row& row : kRows) {
    const Solution s = solve(problem(row.tokens, row.alpha));
    EXPECT_TRUE(s.diagnostics.converged) << s.diagnostics.message;
    EXPECT_EQ(s.diagnostics.sampled_matrices, 120);
    const auto near = [](double value, double wanted) { EXPECT_NEAR(value, wanted, 0.02 * wanted); };
    near(s.overlaps.q, row.q_s);
    near(s.overlaps.q_a, row.q_a);
    near(s.overlaps.m, row.m);
    near(s.errors.estimation, row.E);
    near(s.errors.train, row.train);
    near(s.errors.test, row.test);
  }
}

}  // namespace
}  // namespace attnlaw::theory
