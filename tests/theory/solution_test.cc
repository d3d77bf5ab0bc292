/// The trained spectrum: density, distribution, outliers; the JSON document.

#include "attnlaw/theory/solution.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "attnlaw/theory/solve.h"
#include "attnlaw/theory/trained_student.h"

namespace attnlaw::theory {
namespace {

model::Problem softmax_problem(const std::string& target, double alpha, double lambda) {
  model::Problem problem;
  problem.alpha = alpha;
  problem.lambda = lambda;
  problem.target = model::Target::parse(target);
  return problem;
}

/// Close to S = 0 a replicate may have no student: an error that nobody knows is no small one.
TEST(SamplingError, ThatIsNotKnownIsInfinite) {
  constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
  EXPECT_NEAR(relative_error({0.1, 0.01, 0.2, 0}, {1, 1, 1, 1}), 0.2, 1e-15);
  EXPECT_EQ(relative_error({0.1, kNaN, 0.2, 0}, {1, 1, 1, 1}), std::numeric_limits<double>::infinity());
  // Where there is no such figure there is no error of it.
  EXPECT_NEAR(relative_error({0.1, 0.01, kNaN, 0}, {1, 1, kNaN, 1}), 0.1, 1e-15);
}

model::Problem linear_problem(const std::string& target, double alpha, double lambda, double noise) {
  model::Problem problem = softmax_problem(target, alpha, lambda);
  problem.tokens = 1;
  problem.head = model::Head::linear;
  problem.noise = noise;
  return problem;
}

/// A bulk cut by the threshold, one well above it, and many atoms with a power-law tail.
std::vector<Solution> solutions() {
  return {solve(softmax_problem("wishart:0.5", 0.3, 0.05), {1e-2, {}}),
          solve(softmax_problem("wishart:0.5", 2, 1e-3), {1e-2, {}}),
          solve(linear_problem("powerlaw:1.25,400", 1, 0.1, 0.05)), solve(linear_problem("wishart:2", 1, 0.1, 0.05))};
}

TEST(TrainedSpectrum, DensityIntegratesToTheMassAboveZero) {
  for (const Solution& solution : solutions()) {
    const TrainedLaw::Curve curve = TrainedLaw(solution, solution.problem.target.spectrum()).density();
    ASSERT_GT(curve.s.size(), 10U);
    double mass = 0;
    for (std::size_t i = 0; i + 1 < curve.s.size(); ++i) {
      EXPECT_LE(curve.s[i], curve.s[i + 1]);
      mass += 0.5 * (curve.density[i] + curve.density[i + 1]) * (curve.s[i + 1] - curve.s[i]);
    }
    // The trapezoid on the curve's own points; its error is the curvature between them.
    EXPECT_NEAR(mass, 1 - solution.spectrum.zero_mass, 5e-3);
  }
}

TEST(TrainedSpectrum, DistributionRunsFromTheAtomToOne) {
  for (const Solution& solution : solutions()) {
    const TrainedLaw law(solution, solution.problem.target.spectrum());
    EXPECT_EQ(law.cdf(-1e-6), 0);
    constexpr double kLaw = 1e-8;  // what the solver resolves the law to at this accuracy
    EXPECT_NEAR(law.cdf(0), solution.spectrum.zero_mass, kLaw);
    const double top = solution.spectrum.edges.back().upper;
    double previous = law.cdf(0);
    for (int i = 1; i <= 10; ++i) {
      const double next = law.cdf(0.1 * i * top);
      EXPECT_GE(next, previous - 1e-12);
      previous = next;
    }
    EXPECT_NEAR(law.cdf(1.0001 * top), 1, 1e-12);
    EXPECT_NEAR(law.cdf(std::numeric_limits<double>::infinity()), 1, 1e-12);
  }
}

TEST(TrainedSpectrum, DensityGivesTheOverlapsBack) {
  // ∫ s² density = q.
  for (const Solution& solution : solutions()) {
    const TrainedLaw::Curve curve = TrainedLaw(solution, solution.problem.target.spectrum()).density();
    double q = 0;
    for (std::size_t i = 0; i + 1 < curve.s.size(); ++i) {
      const auto integrand = [&](std::size_t k) { return curve.s[k] * curve.s[k] * curve.density[k]; };
      q += 0.5 * (integrand(i) + integrand(i + 1)) * (curve.s[i + 1] - curve.s[i]);
    }
    EXPECT_NEAR(q, solution.overlaps.q, 1e-2 * solution.overlaps.q);
  }
}

TEST(TrainedSpectrum, OutliersOfASpikedTargetFollowTheBbpRule) {
  // Bulk at 0, D = 100: visible iff m̂ s > √q̂·√(1 − 1/D)-ish, at m̂ s + q̂/(m̂ s), squared overlap 1 − q̂/(m̂ s)².
  const Solution solution = solve(linear_problem("spikes:100,5,3", 1, 0.1, 0.05));
  EXPECT_TRUE(solution.diagnostics.converged) << solution.diagnostics.message;
  const auto [q_hat, m_hat, V_hat, q_hat_a, V_hat_a] = solution.conjugates;
  ASSERT_EQ(solution.spectrum.outliers.size(), 2U);
  const double spikes[] = {3, 5};
  for (std::size_t i = 0; i < 2; ++i) {
    const Outlier& outlier = solution.spectrum.outliers[i];
    const double signal = m_hat * spikes[i];
    EXPECT_NEAR(outlier.target, spikes[i], 1e-12);
    EXPECT_GT(outlier.overlap, 0);
    EXPECT_LT(outlier.overlap, 1);
    // The other spike holds 1/99 of the bulk.
    EXPECT_NEAR(outlier.overlap, 1 - q_hat / (signal * signal), 0.02);
    EXPECT_NEAR(outlier.eigenvalue, (signal + q_hat / signal - 2 * solution.problem.lambda) / V_hat,
                0.02 * outlier.eigenvalue);
  }
  EXPECT_LT(solution.spectrum.outliers[0].eigenvalue, solution.spectrum.outliers[1].eigenvalue);
  EXPECT_LT(solution.spectrum.outliers[0].overlap, solution.spectrum.outliers[1].overlap);
}

TEST(TrainedSpectrum, WishartTargetHasNoOutliers) {
  EXPECT_TRUE(solve(linear_problem("wishart:0.5", 1, 0.1, 0)).spectrum.outliers.empty());
}

/// The statements of docs/figures.md on figure 1 of arXiv:2509.24914.
TEST(TrainedSpectrum, TheUpperBulkDetachesWhereTheFigureSays) {
  const auto upper_mass = [](const char* target, double alpha) {
    model::Problem problem = softmax_problem(target, alpha, 0.01);
    problem.noise = 0.25;
    return solve(problem).spectrum.upper_mass;
  };
  EXPECT_TRUE(std::isnan(upper_mass("wishart:0.2", 0.41)));
  EXPECT_NEAR(upper_mass("wishart:0.2", 0.43), 0.2, 1e-6);
  EXPECT_TRUE(std::isnan(upper_mass("wishart:0.5", 6.0)));
  EXPECT_NEAR(upper_mass("wishart:0.5", 6.3), 0.5, 1e-6);
  EXPECT_TRUE(std::isnan(upper_mass("wishart:0.8", 60)));
}

TEST(TrainedSpectrum, TheUpperBulkHasTheMassOfTheTargetFromWhereItDetaches) {
  model::Problem problem = softmax_problem("wishart:0.5", 0.1, 0.01);
  problem.noise = 0.25;
  EXPECT_TRUE(std::isnan(solve(problem).spectrum.upper_mass)) << "one bulk";
  for (const double alpha : {10.0, 40.0}) {
    problem.alpha = alpha;
    const Solution solution = solve(problem);
    EXPECT_NEAR(solution.spectrum.upper_mass, 0.5, 1e-6) << "alpha " << alpha;
    // It is the last band of the trained density.
    const TrainedLaw law(solution, problem.target_law());
    const double lower = solution.spectrum.edges.back().lower;
    EXPECT_GT(lower, 0);
    EXPECT_NEAR(1 - law.cdf(lower), 0.5, 1e-6);
  }
  model::Problem recovered = softmax_problem("wishart:0.3", 0.4, 0);
  recovered.lambda_rule = model::LambdaRule::ridgeless;
  EXPECT_NEAR(solve(recovered).spectrum.upper_mass, 0.3, 1e-12) << "the target itself";
}

TEST(Solution, DocumentHasTheKeysOfTheContract) {
  const Solution solution = solve(linear_problem("spikes:100,5,3", 1, 0.1, 0.05));
  const nlohmann::json document = to_json(solution);
  EXPECT_EQ(document.at("problem"), model::to_json(solution.problem));
  for (const char* key : {"Q_star", "q", "m", "V"}) EXPECT_TRUE(document.at("overlaps").at(key).is_number());
  for (const char* key : {"q_hat", "m_hat", "V_hat"}) EXPECT_TRUE(document.at("conjugates").at(key).is_number());
  for (const char* key : {"train", "test", "estimation", "objective"}) {
    EXPECT_TRUE(document.at("errors").at(key).is_number());
    EXPECT_TRUE(document.at("diagnostics").at("sampling_error").at(key).is_number());
  }
  EXPECT_EQ(document.at("spectrum").at("outliers").size(), 2U);
  EXPECT_EQ(document.at("spectrum").at("edges").at(0).size(), 2U);
  EXPECT_EQ(document.at("diagnostics").at("converged"), true);
  EXPECT_FALSE(document.at("diagnostics").contains("message"));
}

}  // namespace
}  // namespace attnlaw::theory
