/// Where the upper bulk of the trained spectrum detaches.

#include "attnlaw/theory/detachment.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "attnlaw/matrix_laws/semicircle_sum.h"

namespace attnlaw::theory {
namespace {

/// Figure 1 of arXiv:2509.24914.
model::Problem figure_1(const char* target) {
  model::Problem problem;
  problem.target = model::Target::parse(target);
  problem.noise = 0.25;
  problem.lambda = 0.01;
  return problem;
}

DetachmentSearch search(const model::Problem& problem, const SolveOptions& options = {}) {
  return detachment(problem, problem.target_law(), options);
}

Solution solved_at(model::Problem problem, double alpha) {
  problem.alpha = alpha;
  return solve(problem);
}

TEST(Detachment, IsWhereTheUpperMassBecomesANumber) {
  for (const auto& [target, low, high, mass] :
       {std::tuple{"wishart:0.2", 0.42, 0.43, 0.2}, std::tuple{"wishart:0.5", 6.0, 6.2, 0.5}}) {
    const model::Problem problem = figure_1(target);
    const std::optional<Detachment> at = search(problem).found;
    ASSERT_TRUE(at) << target;
    EXPECT_GT(at->alpha, low);
    EXPECT_LT(at->alpha, high);
    constexpr double kBracket = 5e-4;
    EXPECT_TRUE(std::isnan(solved_at(problem, at->alpha * (1 - kBracket)).spectrum.upper_mass)) << target;
    EXPECT_NEAR(solved_at(problem, at->alpha * (1 + kBracket)).spectrum.upper_mass, mass, 1e-6) << target;
    EXPECT_NEAR(at->upper_mass, mass, 1e-6) << target;
  }
}

TEST(Detachment, DividesTheTrainedDensityIntoTwoBands) {
  const model::Problem problem = figure_1("wishart:0.2");
  const double alpha = search(problem).found.value().alpha;
  const matrix_laws::Spectrum target = problem.target_law();
  const Solution below = solved_at(problem, 0.98 * alpha), above = solved_at(problem, 1.02 * alpha);
  ASSERT_EQ(below.spectrum.edges.size(), 1U);
  ASSERT_EQ(above.spectrum.edges.size(), 2U);
  const auto least_inside = [&](const Solution& solution, double from, double to) {
    const TrainedLaw::Curve curve = TrainedLaw(solution, target).density();
    double least = std::numeric_limits<double>::infinity();
    for (std::size_t i = 0; i < curve.s.size(); ++i)
      if (curve.s[i] >= from && curve.s[i] <= to) least = std::min(least, curve.density[i]);
    return least;
  };
  const auto& bands = above.spectrum.edges;
  const double gap_from = bands[0].upper, gap_to = bands[1].lower;
  EXPECT_LT(gap_from, gap_to);
  EXPECT_LT(least_inside(above, gap_from, gap_to), 1e-9);
  EXPECT_GT(least_inside(below, 0.9 * gap_from, 1.1 * gap_to), 1e-3);
  const TrainedLaw law(above, target);
  EXPECT_NEAR(law.cdf(gap_to) - law.cdf(gap_from), 0, 1e-9) << "nothing in the gap";
}

TEST(Detachment, IsOneEffectiveNoiseWhateverTheLabelsAndThePenalty) {
  // The law of S* + aZ falls into two bands at one a, which the target alone decides, also where a width binds.
  const matrix_laws::Spectrum target = figure_1("wishart:0.2").target_law();
  const double a = search(figure_1("wishart:0.2")).found.value().a;
  const auto bands = [&](double noise) { return matrix_laws::semicircle_sum(target, noise * noise).bands().size(); };
  EXPECT_EQ(bands(1.0005 * a), 1U);
  EXPECT_EQ(bands(0.9995 * a), 2U);
  model::Problem linear = figure_1("wishart:0.2");
  linear.head = model::Head::linear;
  linear.lambda = 0.05;
  linear.noise = 1;
  model::Problem direct = figure_1("wishart:0.2"), narrow = direct;
  direct.student = model::Student::direct;
  narrow.width = 0.3;
  for (const model::Problem& problem : {linear, direct, narrow})
    EXPECT_NEAR(search(problem).found.value().a, a, 1e-3 * a);
}

TEST(Detachment, IsThereWithEveryRuleOfThePenalty) {
  model::Problem problem = figure_1("wishart:0.2");
  for (const auto rule : {model::LambdaRule::ridgeless, model::LambdaRule::edge}) {
    problem.lambda_rule = rule;
    const double alpha = search(problem).found.value().alpha;
    EXPECT_TRUE(std::isnan(solved_at(problem, 0.999 * alpha).spectrum.upper_mass));
    // The edge of the noise is above the lower end of the upper bulk, of which a part is trained.
    const double mass = solved_at(problem, 1.001 * alpha).spectrum.upper_mass;
    EXPECT_GT(mass, 0.15);
    EXPECT_LT(mass, 0.2 + 1e-6);
  }
}

TEST(Detachment, OfANoiselessRidgelessStudentIsNotBeyondRecovery) {
  model::Problem problem = figure_1("wishart:0.5");
  problem.noise = 0;
  problem.lambda_rule = model::LambdaRule::ridgeless;
  EXPECT_LE(search(problem).found.value().alpha, recovery(problem, problem.target_law()).value().alpha * (1 + 1e-5));
}

TEST(Detachment, IsNoneOfATargetWithoutAGap) {
  model::Problem problem = figure_1("wishart:2");
  problem.head = model::Head::linear;
  const DetachmentSearch none = search(problem);
  EXPECT_FALSE(none.found);
  EXPECT_TRUE(none.converged);
  EXPECT_THAT(none.none, testing::HasSubstr("no bulk has detached up to"));
}

TEST(Detachment, SaysWhoHasNone) {
  model::Problem problem = figure_1("wishart:0.2");
  problem.student = model::Student::untied;
  EXPECT_THAT(search(problem).none, testing::HasSubstr("untied of self-attention"));
  problem.student = model::Student::bayes;
  problem.lambda_rule = model::LambdaRule::none;
  EXPECT_THAT(search(problem).none, testing::HasSubstr("posterior mean"));
}

TEST(Detachment, EndsWithItsTimeLimit) {
  SolveOptions options;
  options.time_limit = 1e-6;
  const DetachmentSearch none = search(figure_1("wishart:0.2"), options);
  EXPECT_FALSE(none.found || none.converged);
  EXPECT_THAT(none.none, testing::HasSubstr("limit"));
}

}  // namespace
}  // namespace attnlaw::theory
