/// Bayes-optimal learning: published and derived values, closed forms, limits, identities.

#include "attnlaw/theory/bayes.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <numbers>
#include <stdexcept>
#include <string>

#include "attnlaw/matrix_laws/optimal_denoiser.h"
#include "attnlaw/theory/channel/bayes_channel.h"
#include "attnlaw/theory/channel/bayes_labels.h"

namespace attnlaw::theory {
namespace {

using matrix_laws::DiscreteSpectrum;
using matrix_laws::Spectrum;
using model::Head;
using std::numbers::pi;

model::Problem problem_of(Head head, int tokens, double alpha, double noise, const std::string& target) {
  model::Problem problem;
  problem.student = model::Student::bayes;
  problem.lambda_rule = model::LambdaRule::none;
  problem.head = head;
  problem.tokens = tokens;
  problem.alpha = alpha;
  problem.noise = noise;
  problem.target = model::Target::parse(target);
  return problem;
}

Solution solved(const model::Problem& problem, double accuracy = 1e-3) {
  return solve_bayes(problem, problem.target.spectrum(), {accuracy, {}});
}

TEST(Bayes, ReproducesTheNoiselessTable) {
  // docs/theory/bayes_optimal.md, section 6: (v, E) by α K_eff for Wishart targets, to the digits printed there.
  struct Row {
    const char* target;
    double alpha, v, E;
  };
  for (const Row& row : {Row{"wishart:0.2", 0.02, 23.76819, 0.9507278}, {"wishart:0.2", 0.05, 8.352544, 0.8352544},
                         {"wishart:0.2", 0.1, 2.807377, 0.5614753},     {"wishart:0.5", 0.02, 23.91742, 0.9566969},
                         {"wishart:0.5", 0.05, 8.791715, 0.8791715},    {"wishart:0.5", 0.1, 3.618387, 0.7236774},
                         {"wishart:0.5", 0.2, 0.9804900, 0.3921960},    {"wishart:0.5", 0.25, 0.4945705, 0.2472853},
                         {"wishart:0.5", 0.3, 0.2135515, 0.1281309},    {"wishart:1", 0.02, 23.96020, 0.9584080},
                         {"wishart:1", 0.05, 8.903222, 0.8903222},      {"wishart:1", 0.1, 3.824584, 0.7649169},
                         {"wishart:1", 0.2, 1.249804, 0.4999217},       {"wishart:1", 0.25, 0.7496452, 0.3748226},
                         {"wishart:1", 0.3, 0.4357553, 0.2614532},      {"wishart:1", 0.45, 0.0304107, 0.0273696},
                         {"wishart:2", 0.02, 23.98046, 0.9592182},      {"wishart:2", 0.05, 8.953343, 0.8953343},
                         {"wishart:2", 0.1, 3.916149, 0.7832299},       {"wishart:2", 0.2, 1.377325, 0.5509298},
                         {"wishart:2", 0.25, 0.8749750, 0.4374875},     {"wishart:2", 0.3, 0.5492148, 0.3295289},
                         {"wishart:2", 0.45, 0.0680812, 0.0612730}}) {
    const Solution solution = solved(problem_of(Head::linear, 1, row.alpha, 0, row.target));
    EXPECT_TRUE(solution.diagnostics.converged);
    EXPECT_NEAR(solution.bayes->noise_variance, row.v, 6e-7 * std::max(1.0, 10 * row.v)) << row.target << row.alpha;
    EXPECT_NEAR(solution.errors.estimation, row.E, 6e-8) << row.target << " " << row.alpha;
    EXPECT_EQ(solution.bayes->fixed_points.size(), 1U);
  }
}

TEST(Bayes, AgreesWithThePublishedQuadraticNetwork) {
  // gen_error of line_no_noise_0.5.csv, repository SPOC-group/ExtensiveWidthQuadraticSamples (its code evaluates the
  // density 1e-4 above the real axis, which costs up to 4e-5).
  struct Row {
    double alpha, E;
  };
  for (const Row& row : {Row{0.001, 0.998029933958},
                         {0.02750393700787402, 0.938703264496},
                         {0.05400787401574803, 0.867747369013},
                         {0.08051181102362205, 0.787122870026},
                         {0.1070157480314961, 0.700295734219},
                         {0.1335196850393701, 0.610767653225},
                         {0.1600236220472441, 0.521471730251},
                         {0.1865275590551181, 0.434721477505},
                         {0.2130314960629921, 0.352321022309},
                         {0.2395354330708661, 0.27569499566},
                         {0.2660393700787402, 0.205967580051},
                         {0.2925433070866142, 0.144044591034},
                         {0.3190472440944882, 0.0906204091841},
                         {0.3455511811023622, 0.0460084602923},
                         {0.3720551181102362, 0.0057148834342},
                         {0.375, 1.49987e-06}})
    EXPECT_NEAR(solved(problem_of(Head::linear, 1, row.alpha, 0, "wishart:0.5")).errors.estimation, row.E, 4e-5);
}

TEST(Bayes, ReproducesTheSoftmaxTable) {
  struct Row {
    int tokens;
    double noise, alpha, E, posterior_mean, plug_in, tolerance;
  };
  constexpr double kQuadrature = 6e-8, kSampled = 3e-4;  // T = 3: about four digits on either side
  for (const Row& row : {Row{2, 0, 0.01, 0.9566969, 0.2754614, 0.2902748, kQuadrature},
                         {2, 0, 0.05, 0.7236774, 0.2133685, 0.2241823, kQuadrature},
                         {2, 0, 0.10, 0.3921960, 0.1208526, 0.1251238, kQuadrature},
                         {2, 0, 0.15, 0.1281309, 0.0414077, 0.0419941, kQuadrature},
                         {2, 0.05, 0.05, 0.7444439, 0.2189807, 0.2302022, kQuadrature},
                         {2, 0.05, 0.10, 0.4550921, 0.1389073, 0.1443457, kQuadrature},
                         {2, 0.25, 0.05, 0.8007365, 0.2341089, 0.2464020, kQuadrature},
                         {2, 0.25, 0.30, 0.2015594, 0.0641881, 0.0655355, kQuadrature},
                         {3, 0, 0.01, 0.8791715, 0.42063, 0.43764, kSampled},
                         {3, 0, 0.05, 0.2472853, 0.13051, 0.13313, kSampled},
                         {3, 0.05, 0.05, 0.3380989, 0.17546, 0.17994, kSampled},
                         {3, 0.05, 0.10, 0.0888816, 0.04847, 0.04887, kSampled},
                         {3, 0.25, 0.05, 0.4995691, 0.25229, 0.26062, kSampled},
                         {3, 0.25, 0.30, 0.0705977, 0.03865, 0.03891, kSampled}}) {
    const Solution solution = solved(problem_of(Head::softmax, row.tokens, row.alpha, row.noise, "wishart:0.5"));
    EXPECT_NEAR(solution.errors.estimation, row.E, 6e-8);
    EXPECT_NEAR(solution.errors.test, row.posterior_mean, row.tolerance);
    EXPECT_NEAR(solution.bayes->plug_in_test, row.plug_in, row.tolerance);
    EXPECT_NEAR(solution.bayes->index_error, row.tokens * (row.tokens + 1) * solution.errors.estimation, 1e-12);
    EXPECT_LE(2 * solution.diagnostics.sampling_error.test, 1e-3 * solution.errors.test);
  }
}

TEST(Bayes, HardmaxSeesSigns) {
  // Information at ω = 0, V = 1 (Monte Carlo: 1.23944), and that of a field of variance 18 V, where the integral over ω
  // has narrow ridges (brute-force summation on a fine grid: 0.32554313).
  const model::Problem problem = problem_of(Head::hardmax, 2, 1, 0, "wishart:0.5");
  EXPECT_NEAR(label_information(problem, 1, 1), 1.23943, 1e-5);
  EXPECT_NEAR(label_information(problem, 1, 1.0 / 19) / 19, 0.32554313, 1e-8);
  EXPECT_NEAR(solved(problem_of(Head::hardmax, 2, 0.05, 0, "wishart:0.5")).errors.estimation, 0.878727, 6e-7);
  EXPECT_NEAR(solved(problem_of(Head::hardmax, 2, 0.2, 0, "wishart:0.5")).errors.estimation, 0.522156, 6e-7);
  EXPECT_NEAR(solved(problem).errors.estimation, 0.0789317, 6e-8);
}

TEST(Bayes, HardmaxInformationIsContinuousAndFallsWithTheVariance) {
  const model::Problem problem = problem_of(Head::hardmax, 2, 1, 0, "wishart:0.5");
  // The two quadratures meet at (Q* − V)/V = 1/4.
  const double meeting = 0.8;
  EXPECT_NEAR(label_information(problem, 1, meeting * (1 + 1e-9)), label_information(problem, 1, meeting * (1 - 1e-9)),
              1e-8);
  double previous = std::numeric_limits<double>::infinity();
  for (double V = 1e-12; V < 1; V *= 1.7) {
    const double information = label_information(problem, 1, V);
    EXPECT_LT(information, previous);
    previous = information;
  }
  // Certain but for one sign in a strip of width √V: information ~ V^{-1/2}.
  EXPECT_NEAR(label_information(problem, 1, 1e-10) / label_information(problem, 1, 1e-12), 0.1, 1e-6);
}

TEST(Bayes, HardmaxErrorFallsAsTheInverseSquareOfTheData) {
  const double ratio = solved(problem_of(Head::hardmax, 2, 1000, 0, "wishart:0.5")).errors.estimation /
                       solved(problem_of(Head::hardmax, 2, 2000, 0, "wishart:0.5")).errors.estimation;
  EXPECT_NEAR(ratio, 4, 1e-3);
}

TEST(Bayes, OfASemicircleIsAQuadraticEquation) {
  const double s = 1.3;
  constexpr int kAtoms = 80;
  DiscreteSpectrum semicircle;  // Gauss quadrature
  for (int i = kAtoms; i >= 1; --i) {
    const double angle = pi * i / (kAtoms + 1);
    semicircle.atoms.push_back(2 * std::sqrt(s) * std::cos(angle));
    semicircle.weights.push_back(2.0 / (kAtoms + 1) * std::pow(std::sin(angle), 2));
  }
  for (const double alpha : {0.02, 0.1, 0.2})
    for (const double noise : {0.1, 1.0}) {
      const model::Problem problem = problem_of(Head::softmax, 2, alpha, noise, "wishart:0.5");
      // s/(s + v) + Δ/v = A, A = 2αK_eff.
      const double A = 4 * alpha, b = A * s - s - noise;
      const double v = (-b + std::sqrt(b * b + 4 * A * noise * s)) / (2 * A);
      const double E = s * v / (s + v);
      const Solution solution = solve_bayes(problem, semicircle, {});
      EXPECT_NEAR(solution.bayes->noise_variance, v, 1e-9 * v);
      EXPECT_NEAR(solution.errors.estimation, E, 1e-10);
      EXPECT_NEAR(solution.bayes->mutual_information,
                  alpha * std::log1p(E / noise) + 0.25 * std::log1p(s / v) - 0.25 * E / v, 1e-10);
    }
}

TEST(Bayes, DependsOnTokensThroughTheObservedScoresAlone) {
  const double E = solved(problem_of(Head::linear, 1, 0.2, 0.1, "wishart:0.7")).errors.estimation;
  for (const int tokens : {2, 3, 4}) {
    model::Problem problem = problem_of(Head::softmax, tokens, 0.2, 0.1, "wishart:0.7");
    problem.alpha = 0.2 / problem.observed_score_count();
    EXPECT_NEAR(solved(problem, 0.1).errors.estimation, E, 1e-12);
  }
}

TEST(Bayes, SatisfiesItsEquations) {
  for (const std::string target : {"wishart:0.5", "wishart:1", "powerlaw:1.25,100", "spikes:40,5,3,-2"})
    for (const double noise : {0.02, 0.5}) {
      const model::Problem problem = problem_of(Head::softmax, 2, 0.1, noise, target);
      const Solution solution = solved(problem);
      const double v = solution.bayes->noise_variance, E = solution.errors.estimation;
      EXPECT_TRUE(solution.diagnostics.converged) << target;
      EXPECT_NEAR(1 / v, 2 * problem.alpha * 2 / (E + noise), 1e-9 / v);
      EXPECT_NEAR(E, matrix_laws::OptimalDenoiser(problem.target.spectrum(), v).mean_square_error(), 1e-12);
      EXPECT_NEAR(solution.overlaps.q, solution.Q_star - E, 1e-12);
      EXPECT_EQ(solution.overlaps.m, solution.overlaps.q);
      EXPECT_NEAR(solution.conjugates.q_hat, 1 / v, 1e-12 / v);
      EXPECT_TRUE(std::isnan(solution.errors.train) && std::isnan(solution.errors.objective));
      EXPECT_EQ(solution.spectrum.zero_mass, 0);
    }
}

TEST(Bayes, InformationGrowsWithTheDataAtTheRateOfTheLabels) {
  // The potential is stationary in v: di/dα = (K_eff/2) log(1 + E/Δ).
  const auto information = [](double alpha) {
    return solved(problem_of(Head::linear, 1, alpha, 0.2, "wishart:0.5")).bayes->mutual_information;
  };
  const double step = 1e-3;
  const double slope = (information(0.3 + step) - information(0.3 - step)) / (2 * step);
  const double E = solved(problem_of(Head::linear, 1, 0.3, 0.2, "wishart:0.5")).errors.estimation;
  EXPECT_NEAR(slope, 0.5 * std::log1p(E / 0.2), 1e-5);
}

TEST(Bayes, FewDataFollowTheFirstOrder) {
  // E = 1 − 2αK_eff/(1 + Δ) + O(α²).
  for (const double noise : {0.0, 0.5}) {
    const double alpha = 1e-4;
    const double E = solved(problem_of(Head::softmax, 2, alpha, noise, "wishart:0.5")).errors.estimation;
    EXPECT_NEAR((1 - E) / (4 * alpha / (1 + noise)), 1, 3e-3);
  }
}

TEST(Bayes, SmallNoiseFollowsTheFirstOrderAboveRecovery) {
  // E = Δ(1 − Σw²)/(2αK_eff − 1 + Σw²), and the information per label grows by ½ log(1/Δ).
  const double alpha = 0.5;
  const auto at = [&](double noise) { return solved(problem_of(Head::softmax, 2, alpha, noise, "wishart:0.5")); };
  for (const double noise : {1e-6, 1e-12, 1e-15, 1e-18}) {
    const Solution solution = at(noise);
    EXPECT_NEAR(solution.errors.estimation / (noise * 0.75 / (4 * alpha - 0.75)), 1, 1e-5) << noise;
    EXPECT_EQ(solution.diagnostics.message, "");
  }
  const Solution small = at(1e-12), smaller = at(1e-18);
  EXPECT_NEAR(smaller.errors.test / small.errors.test, 1e-6, 1e-9);
  EXPECT_NEAR(smaller.bayes->mutual_information - small.bayes->mutual_information, 0.25 * 0.75 * std::log(1e6), 1e-4);
}

TEST(Bayes, RecoversAtTheCountingBound) {
  struct Row {
    int tokens;
    const char* target;
    double alpha;
  };
  for (const Row& row : {Row{2, "wishart:0.1", 0.0475},
                         {3, "wishart:0.1", 0.019},
                         {4, "wishart:0.1", 0.19 / 18},
                         {2, "wishart:0.5", 0.1875},
                         {3, "wishart:0.5", 0.075},
                         {4, "wishart:0.5", 0.75 / 18},
                         {2, "wishart:1", 0.25},
                         {3, "wishart:2", 0.1},
                         {4, "wishart:1", 1.0 / 18}}) {
    model::Problem problem = problem_of(Head::softmax, row.tokens, row.alpha * (1 + 1e-9), 0, row.target);
    EXPECT_NEAR(bayes_recovery(problem, problem.target.spectrum()), row.alpha, 1e-15);
    const Solution recovered = solved(problem);
    EXPECT_TRUE(recovered.diagnostics.converged);
    EXPECT_EQ(recovered.errors.estimation, 0);
    EXPECT_EQ(recovered.errors.test, 0);
    EXPECT_TRUE(std::isinf(recovered.conjugates.q_hat));
    problem.alpha = 0.99 * row.alpha;
    EXPECT_GT(solved(problem, 0.1).errors.estimation, 1e-4);
  }
  for (const double kappa : {0.1, 0.2, 0.3, 0.5}) {
    const model::Problem problem = problem_of(Head::linear, 1, 1, 0, "wishart:" + std::to_string(kappa));
    EXPECT_NEAR(bayes_recovery(problem, problem.target.spectrum()), kappa - kappa * kappa / 2, 1e-12);
  }
  const model::Problem hardmax = problem_of(Head::hardmax, 2, 1, 0, "wishart:0.5");
  EXPECT_TRUE(std::isinf(bayes_recovery(hardmax, hardmax.target.spectrum())));
}

TEST(Bayes, ErrorVanishesContinuouslyAtRecovery) {
  // f(v) = 0.75 (1 − v) + …: E = 2α v is linear in the distance, E = (0.75 − 2α) for κ = 1/2.
  for (const double distance : {1e-4, 1e-7, 1e-10}) {
    const Solution solution = solved(problem_of(Head::linear, 1, 0.375 - distance / 2, 0, "wishart:0.5"));
    EXPECT_TRUE(solution.diagnostics.converged);
    EXPECT_NEAR(solution.errors.estimation / distance, 1, 1e-3);
  }
}

TEST(Bayes, RecoveredSpectrumIsTheTargets) {
  const Solution wishart = solved(problem_of(Head::linear, 1, 1, 0, "wishart:0.5"));
  EXPECT_DOUBLE_EQ(wishart.spectrum.zero_mass, 0.5);
  ASSERT_EQ(wishart.spectrum.edges.size(), 1U);
  EXPECT_NEAR(wishart.spectrum.edges[0].upper, std::pow(1 + std::sqrt(0.5), 2) / std::sqrt(0.5), 1e-12);
  const Solution spikes = solved(problem_of(Head::linear, 1, 1, 0, "spikes:4,1,3"));
  EXPECT_DOUBLE_EQ(spikes.spectrum.zero_mass, 0.5);
  ASSERT_EQ(spikes.spectrum.edges.size(), 2U);
  EXPECT_EQ(spikes.spectrum.edges[1].lower, 3);
}

TEST(Bayes, WeakSpikesAreShrunk) {
  // ξ = s − v G(s), with nearly all other eigenvalues at 0.
  const Solution solution = solved(problem_of(Head::softmax, 2, 0.2, 0.05, "spikes:400,10"));
  ASSERT_EQ(solution.spectrum.outliers.size(), 1U);
  EXPECT_NEAR(solution.spectrum.outliers[0].eigenvalue, 10 - solution.bayes->noise_variance / 10, 1e-9);
}

TEST(Bayes, AMultipleOfTheIdentityIsKnown) {
  for (const Head head : {Head::softmax, Head::hardmax})
    EXPECT_EQ(solved(problem_of(head, 2, 0.1, 0, "spikes:1,3")).errors.estimation, 0);
}

TEST(Bayes, LabelErrorsOfNearlyLinearSoftmaxAreThoseOfTheScores) {
  // β → 0: σ is linear, and 4 Var s(βu) → (β²/4) Var u, u of variance 3V.
  model::Problem problem = problem_of(Head::softmax, 2, 1, 0, "wishart:0.5");
  problem.beta = problem.target_beta = 1e-4;
  const LabelErrors errors = label_errors(problem, 1.1, 0.4, 1e-3);
  EXPECT_NEAR(errors.posterior_mean / (1e-8 / 4 * 3 * 0.4), 1, 1e-6);
  EXPECT_NEAR(errors.plug_in, errors.posterior_mean, 1e-6 * errors.plug_in);
}

TEST(Bayes, LabelErrorsOfSteepSoftmaxAreThoseOfHardmax) {
  model::Problem softmax = problem_of(Head::softmax, 2, 1, 0, "wishart:0.5");
  softmax.beta = softmax.target_beta = 1e7;
  const LabelErrors steep = label_errors(softmax, 1.1, 0.4, 1e-3);
  const LabelErrors hard = label_errors(problem_of(Head::hardmax, 2, 1, 0, "wishart:0.5"), 1.1, 0.4, 1e-3);
  EXPECT_NEAR(steep.posterior_mean, hard.posterior_mean, 1e-6);
  EXPECT_NEAR(steep.plug_in, hard.plug_in, 1e-6);
  EXPECT_NEAR(hard.posterior_mean, 1 - 2 / pi * std::asin(1.1 / 1.5), 1e-14);
}

TEST(Bayes, LabelErrorsAreContinuousAcrossTheirQuadratures) {
  // Narrow and wide fields are integrated differently; they meet at β² 3V = 1.
  model::Problem problem = problem_of(Head::softmax, 2, 1, 0, "wishart:0.5");
  for (const double beta : {0.7, 3.0, 40.0}) {
    problem.beta = problem.target_beta = beta;
    const double V = 1 / (3 * beta * beta);
    const LabelErrors below = label_errors(problem, 1, V * (1 - 1e-10), 1e-3);
    const LabelErrors above = label_errors(problem, 1, V * (1 + 1e-10), 1e-3);
    EXPECT_NEAR(below.posterior_mean, above.posterior_mean, 1e-9 * above.posterior_mean);
    EXPECT_NEAR(below.plug_in, above.plug_in, 1e-9 * above.plug_in);
  }
}

TEST(Bayes, RefusesOtherStudents) {
  model::Problem problem;
  EXPECT_THROW(solve_bayes(problem, problem.target.spectrum(), {}), std::invalid_argument);
}

}  // namespace
}  // namespace attnlaw::theory
