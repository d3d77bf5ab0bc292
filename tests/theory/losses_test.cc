/// Losses and label laws beside the squared loss of outputs: the checked facts of docs/theory/losses.md, the ridgeless
/// limit they share, stability of convex losses, rows of cross-attention.

#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <numbers>
#include <string>
#include <utility>

#include "attnlaw/theory/channel/output_channel.h"
#include "attnlaw/theory/solve.h"
#include "attnlaw/theory/thresholds.h"
#include "problems.h"

namespace attnlaw::theory {
namespace {

model::Problem self(double alpha, double lambda, double noise = 0) {
  model::Problem problem;
  problem.alpha = alpha;
  problem.lambda = lambda;
  problem.noise = noise;
  return problem;
}

model::Problem cross_entropy(double alpha, double lambda, double noise = 0) {
  model::Problem problem = self(alpha, lambda, noise);
  problem.loss = model::Loss::cross_entropy;
  return problem;
}

model::Problem sampled(double alpha, double lambda) {
  model::Problem problem = cross_entropy(alpha, lambda);
  problem.labels = model::Labels::sampled;
  return problem;
}

model::Problem entry(double alpha, double lambda) {
  model::Problem problem = self(alpha, lambda);
  problem.readout = model::Readout::entry;
  return problem;
}

model::Problem sign(double alpha, double lambda) {
  model::Problem problem = self(alpha, lambda);
  problem.head = model::Head::linear;
  problem.readout = model::Readout::score;
  problem.labels = model::Labels::sign;
  problem.loss = model::Loss::logistic;
  return problem;
}

model::Problem cross(int queries, int keys, double alpha, model::Loss loss = model::Loss::square) {
  model::Problem problem = samples::crossed(self(alpha, 0.05), queries, keys);
  problem.loss = loss;
  problem.target = model::Target::parse("spikes:10,3,2,1,1,0.5");
  return problem;
}

Solution solved(const model::Problem& problem, double accuracy) {
  Solution solution = solve(problem, {accuracy, {}});
  EXPECT_TRUE(solution.diagnostics.converged) << solution.diagnostics.message;
  return solution;
}

/// A checked figure; two units of its last digit are one of rounding and one of the sampling of the reference.
void expect_digits(double value, double fact, double digit, const char* name) {
  EXPECT_NEAR(value, fact, 2 * digit) << name;
}

TEST(CrossEntropy, OfFittedLabelsIsTheirEntropyWithItsSamplingError) {
  model::Problem problem = cross_entropy(0.1, 1);
  problem.lambda_rule = model::LambdaRule::ridgeless;
  const Solution coarse = solved(problem, 1e-2), fine = solved(problem, 1e-4);
  const double scatter = coarse.diagnostics.sampling_error.train;
  EXPECT_GT(scatter, 1e-5);
  EXPECT_LT(fine.diagnostics.sampling_error.train, 0.1 * scatter);
  EXPECT_NEAR(coarse.errors.train, fine.errors.train, 4 * scatter);
  problem.alpha = 1;
  const Solution recovered = solved(problem, 1e-3);
  EXPECT_EQ(recovered.errors.estimation, 0);
  EXPECT_EQ(recovered.errors.objective, problem.alpha * recovered.errors.train);
  EXPECT_GT(recovered.diagnostics.sampling_error.train, 0);
  EXPECT_NEAR(recovered.errors.train, fine.errors.train,
              4 * std::hypot(recovered.diagnostics.sampling_error.train, fine.diagnostics.sampling_error.train));
}

TEST(CrossEntropy, GivesTheCheckedFacts) {
  const Solution clean = solved(cross_entropy(0.3, 0.05), 3e-4);
  expect_digits(clean.errors.train, 0.9104, 1e-4, "train");
  expect_digits(clean.errors.test, 0.9447, 1e-4, "test");
  expect_digits(clean.loss_figures->excess_test, 0.0495, 1e-4, "excess");
  expect_digits(clean.loss_figures->squared_train, 0.0080, 1e-4, "squared train");
  expect_digits(clean.loss_figures->squared_test, 0.0347, 1e-4, "squared test");
  expect_digits(clean.spectrum.zero_mass, 0.543, 1e-3, "mass at 0");
  expect_digits(clean.diagnostics.replicon, 0.413, 1e-3, "R");
  const Solution noisy = solved(cross_entropy(0.3, 0.05, 0.5), 3e-4);
  expect_digits(noisy.errors.train, 0.9001, 1e-4, "train");
  expect_digits(noisy.errors.test, 1.0565, 1e-4, "test");
  expect_digits(noisy.loss_figures->excess_test, 0.1613, 1e-4, "excess");
  expect_digits(noisy.loss_figures->squared_train, 0.0484, 1e-4, "squared train");
  expect_digits(noisy.loss_figures->squared_test, 0.1247, 1e-4, "squared test");
  expect_digits(noisy.spectrum.zero_mass, 0.485, 1e-3, "mass at 0");
}

/// Both sides of Stein's lemma and of the proximal point by an independent program: tensor quadrature of 24⁴ normal
/// nodes, four labels summed (16⁴ nodes agree to 1e-6).
TEST(CrossEntropy, HasTheConjugatesOfATensorQuadrature) {
  struct Row {
    model::Problem problem;
    Overlaps at;
    double q_hat, m_hat, V_hat, train;
  };
  const Row rows[] = {
      {cross_entropy(0.3, 0.05), {0.8139, 1.0713, 1.8489}, 0.00717534, 0.24757755, 0.28363387, 0.9104062},
      {sampled(1, 0.3), {1.19463, 1.18179, 0.3641}, 1.3833577, 1.4245977, 1.5173981, 0.7543634}};
  for (const Row& row : rows) {
    constexpr int kLog2Points = 13;
    const auto [c, train, several, imbalance] =
        make_output_channel(row.problem, 1.5, SobolRule{kLog2Points})->evaluate(row.at);
    constexpr double kSampling = 3e-4;
    EXPECT_EQ(several, 0) << "the loss is convex";
    EXPECT_NEAR(imbalance, 0, 0.01);
    EXPECT_NEAR(c.q_hat, row.q_hat, kSampling * row.q_hat);
    EXPECT_NEAR(c.m_hat, row.m_hat, kSampling * row.m_hat);
    EXPECT_NEAR(c.V_hat, row.V_hat, kSampling * row.V_hat);
    EXPECT_NEAR(train, row.train, kSampling * row.train);
  }
}

/// Fixed points of those conjugates, to which they were evaluated.
TEST(SampledRows, SettleWhereTheirQuadratureDoes) {
  const Solution solution = solved(sampled(1, 0.3), 3e-4);
  expect_digits(solution.overlaps.q, 1.1946, 2e-4, "q");
  expect_digits(solution.overlaps.m, 1.1818, 2e-4, "m");
  expect_digits(solution.overlaps.V, 0.3641, 1e-4, "V");
  expect_digits(solution.errors.estimation, 0.3310, 1e-4, "E");
}

TEST(EntryReadout, GivesTheCheckedFacts) {
  const Solution solution = solved(entry(0.8, 0.02), 3e-4);
  expect_digits(solution.errors.train, 0.00213, 1e-5, "train");
  expect_digits(solution.errors.test, 0.00583, 1e-5, "test");
  expect_digits(solution.overlaps.q, 0.7957, 1e-4, "q");
  expect_digits(solution.overlaps.m, 1.0756, 1e-4, "m");
  expect_digits(solution.errors.estimation, 0.1444, 1e-4, "E");
  expect_digits(solution.spectrum.zero_mass, 0.510, 1e-3, "mass at 0");
  expect_digits(solution.overlaps.V, 3.216, 1e-3, "V");
  expect_digits(solution.conjugates.q_hat, 0.00126, 1e-5, "q_hat");
  expect_digits(solution.conjugates.m_hat, 0.1496, 1e-4, "m_hat");
  expect_digits(solution.conjugates.V_hat, 0.1829, 1e-4, "V_hat");
  expect_digits(solution.diagnostics.replicon, 0.383, 1e-3, "R");
}

TEST(SignLabels, GiveTheCheckedFacts) {
  const Solution solution = solved(sign(1, 0.1), 1e-3);
  expect_digits(solution.errors.train, 0.1356, 0.5e-4, "train");
  expect_digits(solution.errors.test, 0.2995, 0.5e-4, "test");
  expect_digits(solution.loss_figures->sign_error, 0.1339, 0.5e-4, "sign error");
  expect_digits(solution.overlaps.q, 9.704, 0.5e-3, "q");
  expect_digits(solution.overlaps.m, 3.483, 0.5e-3, "m");
  expect_digits(solution.overlaps.V, 4.2107, 0.5e-4, "V");
  expect_digits(solution.conjugates.q_hat, 0.05453, 0.5e-5, "q_hat");
  expect_digits(solution.conjugates.m_hat, 0.34862, 0.5e-5, "m_hat");
  expect_digits(solution.conjugates.V_hat, 0.11469, 0.5e-5, "V_hat");
  expect_digits(solution.diagnostics.replicon, 0.283, 0.5e-3, "R");
  expect_digits(solution.spectrum.zero_mass, 0.544, 0.5e-3, "mass at 0");
  EXPECT_EQ(solution.diagnostics.points, 0) << "closed quadrature";
}

TEST(SignLabels, HaveNoEstimationError) {
  const Solution solution = solved(sign(1, 0.1), 1e-3);
  EXPECT_TRUE(std::isnan(solution.errors.estimation));
  const auto document = nlohmann::json::parse(to_json(solution).dump());
  EXPECT_TRUE(document["errors"]["estimation"].is_null());
  EXPECT_EQ(document["loss_figures"].size(), 1);
  EXPECT_EQ(document["loss_figures"]["sign_error"], solution.loss_figures->sign_error);
}

TEST(SignLabels, HaveFewerErrorsWithMoreDataAndTheRightEnds) {
  double before = 0.5;
  for (const double alpha : {0.1, 1.0, 10.0, 100.0}) {
    const double error = solved(sign(alpha, 0.1), 1e-3).loss_figures->sign_error;
    EXPECT_LT(error, 0.9 * before) << alpha;
    before = error;
  }
  EXPECT_EQ(solved(sign(0.1, 10), 1e-3).loss_figures->sign_error, 0.5) << "S = 0";
}

TEST(LossFigures, AreThoseOfTheLoss) {
  EXPECT_FALSE(solved(self(0.3, 0.05), 1e-2).loss_figures);
  EXPECT_FALSE(solved(entry(0.8, 0.02), 1e-2).loss_figures);
  const Solution soft = solved(cross_entropy(0.3, 0.05), 1e-2), drawn = solved(sampled(1, 0.3), 1e-2);
  const auto figures = nlohmann::json::parse(to_json(drawn).dump())["loss_figures"];
  EXPECT_EQ(figures.size(), 4);
  EXPECT_TRUE(figures["excess_train"].is_null()) << "one-hot labels have no entropy to compare with";
  EXPECT_TRUE(figures["squared_train"].is_null());
  EXPECT_FALSE(figures["excess_test"].is_null());
  // Test cross-entropy minus its excess is the entropy of the labels, whatever the student.
  EXPECT_NEAR(soft.errors.test - soft.loss_figures->excess_test, drawn.errors.test - drawn.loss_figures->excess_test,
              3e-3);
}

TEST(CrossEntropy, SharesTheRidgelessLimitOfTheSquaredLoss) {
  // E at α = 0.1: the formula of the limit, and that E closes in on it with λ.
  model::Problem problem = cross_entropy(0.1, 1);
  struct Row {
    double noise, formula;
  };
  for (const Row& row : {Row{0, 0.52736}, Row{0.5, 1.27335}}) {
    problem.noise = row.noise;
    problem.lambda_rule = model::LambdaRule::ridgeless;
    const Solution limit = solved(problem, 1e-3);
    EXPECT_NEAR(limit.errors.estimation, row.formula, 1e-5);
    model::Problem square = problem;
    square.loss = model::Loss::square;
    EXPECT_EQ(limit.overlaps.q, solved(square, 1e-3).overlaps.q);
    EXPECT_EQ(limit.loss_figures->excess_train, 0);
    problem.lambda_rule = model::LambdaRule::value;
    double before = 2 * row.formula;
    for (const double lambda : {1e-2, 1e-3, 1e-4}) {
      problem.lambda = lambda;
      const double distance = std::abs(solved(problem, 1e-3).errors.estimation - row.formula);
      EXPECT_LT(distance, 0.5 * before) << "lambda " << lambda;
      before = distance;
    }
    // All labels are fitted: what is left of the loss is their entropy.
    const Solution last = solved(problem, 1e-3);
    EXPECT_NEAR(limit.errors.train, last.errors.train - last.loss_figures->excess_train, 1e-3);
  }
}

TEST(CrossEntropy, OfARecoveredTargetIsTheEntropyOfLabels) {
  model::Problem problem = cross_entropy(2, 1);
  problem.lambda_rule = model::LambdaRule::ridgeless;
  const Solution solution = solved(problem, 1e-3);
  EXPECT_EQ(solution.ridgeless->phase, RidgelessPhase::recovered);
  const Solution other = solved(cross_entropy(0.3, 0.05), 1e-3);
  const double entropy = other.errors.test - other.loss_figures->excess_test;
  EXPECT_NEAR(solution.errors.test, entropy, 1e-3 * entropy);
  EXPECT_EQ(solution.errors.train, solution.errors.test);
  EXPECT_EQ(solution.loss_figures->squared_test, 0);
}

TEST(ConvexLosses, AreAlwaysStable) {
  // R ≤ 1 for every α, λ and Δ; the squared loss passes it.
  int solutions = 0;
  const auto expect_stable = [&](model::Problem problem, double noise) {
    problem.noise = noise;
    const Solution solution = solved(problem, 1e-2);
    EXPECT_GE(solution.diagnostics.replicon, 0);
    EXPECT_LE(solution.diagnostics.replicon, 1) << name(problem.loss) << ' ' << name(problem.labels) << " alpha "
                                                << problem.alpha << " lambda " << problem.lambda << " noise " << noise;
    solutions += solution.overlaps.q > 0;
  };
  for (const double alpha : {0.1, 0.3, 2.0})
    for (const double lambda : {1e-3, 0.1})
      for (const double noise : {0.0, 10.0}) {
        expect_stable(cross_entropy(alpha, lambda), noise);
        // Where drawn labels stop being separable, a small penalty leaves them ill-conditioned.
        expect_stable(sampled(alpha, 10 * lambda), noise);
        expect_stable(sign(alpha, lambda), noise);
        model::Problem crossed = cross(2, 2, alpha, model::Loss::cross_entropy);
        crossed.lambda = lambda;
        expect_stable(crossed, noise);
      }
  EXPECT_GE(solutions, 40) << "students that learn at all";
  EXPECT_GT(solve(self(0.5, 1e-3, 10), {1e-2, {}}).diagnostics.replicon, 1);
}

TEST(CrossEntropy, HasAPenaltyOfLeastTestError) {
  model::Problem problem = cross_entropy(0.5, 1, 0.5);
  problem.lambda_rule = model::LambdaRule::optimal;
  const Solution best = solved(problem, 1e-3);
  EXPECT_EQ(best.optimal_lambda->where, "interior");
  EXPECT_GT(best.optimal_lambda->curvature, 0);
  for (const double factor : {0.7, 1.4})
    EXPECT_GT(solved(cross_entropy(0.5, factor * best.problem.lambda, 0.5), 1e-3).errors.test, best.errors.test);
}

TEST(EntryReadout, RecoversAsOneScorePerSequence) {
  // K_eff = 1: α_rec is that of the rows times their K_eff = 2.
  const auto& target = entry(1, 1).target.spectrum();
  const double rows = recovery(self(1, 1), target)->alpha;
  EXPECT_NEAR(recovery(entry(1, 1), target)->alpha, 2 * rows, 1e-12);
  model::Problem problem = entry(rows, 1);
  problem.lambda_rule = model::LambdaRule::ridgeless;
  const Solution limit = solved(problem, 1e-3);
  EXPECT_EQ(limit.ridgeless->phase, RidgelessPhase::interpolating);
  double before = limit.errors.estimation;
  for (const double lambda : {1e-3, 1e-4, 1e-5}) {
    const double distance = std::abs(solved(entry(rows, lambda), 1e-3).errors.estimation - limit.errors.estimation);
    EXPECT_LT(distance, 0.5 * before) << "lambda " << lambda;
    before = distance;
  }
}

/// One row of two scores and a direct student, by plain code: t and ω on a grid, the proximal point by bisection, the
/// equations by iteration. Losses are functions of x = √2 β ζ, ζ of unit metric.
struct ScalarSolution {
  Overlaps at;
  double train = 0, test = 0;
};

/// ℓ and dℓ/dx of a label y.
using ScalarLoss = std::pair<double, double> (*)(double x, double y);

double logistic_of(double x) { return 1 / (1 + std::exp(-x)); }

std::pair<double, double> scalar_square(double x, double y) {
  const double s = logistic_of(x), r = s - y;
  return {2 * r * r, 4 * r * s * (1 - s)};  // both entries of the row
}

std::pair<double, double> scalar_cross_entropy(double x, double y) {
  return {std::log1p(std::exp(x)) - y * x, logistic_of(x) - y};
}

double scalar_proximal_point(ScalarLoss loss, double y, double omega, double V, double slope) {
  double low = omega - 20, high = omega + 20;
  for (int step = 0; step < 50; ++step) {
    const double z = 0.5 * (low + high);
    (slope * loss(slope * z, y).second + (z - omega) / V < 0 ? low : high) = z;
  }
  return 0.5 * (low + high);
}

ScalarSolution scalar_solution(ScalarLoss loss, const model::Problem& problem, double Q_star) {
  const double slope = std::sqrt(2.0) * problem.beta, target_slope = std::sqrt(2.0) * problem.target_beta;
  ScalarSolution solution{{0.5, 0.5, 0.5}};
  constexpr double kReach = 6, kStep = 0.25;
  const auto density = [](double x) { return kStep * std::exp(-0.5 * x * x) / std::sqrt(2 * std::numbers::pi); };
  for (int iteration = 0; iteration < 60; ++iteration) {
    Overlaps& at = solution.at;
    const double along = at.m / std::sqrt(at.q), clean = std::sqrt(Q_star - along * along),
                 spread = std::sqrt(Q_star + problem.noise - along * along);
    double g_g = 0, g_epsilon = 0, g_eta = 0;
    solution.train = solution.test = 0;
    for (double epsilon = -kReach; epsilon <= kReach; epsilon += kStep)
      for (double eta = -kReach; eta <= kReach; eta += kStep) {
        const double weight = density(epsilon) * density(eta), omega = std::sqrt(at.q) * epsilon;
        const double y = logistic_of(target_slope * (along * epsilon + spread * eta));
        const double z = scalar_proximal_point(loss, y, omega, at.V, slope), g = (z - omega) / at.V;
        g_g += weight * g * g, g_epsilon += weight * g * epsilon, g_eta += weight * g * eta;
        solution.train += weight * loss(slope * z, y).first;
        solution.test +=
            weight * loss(slope * omega, logistic_of(target_slope * (along * epsilon + clean * eta))).first;
      }
    const double q_hat = problem.alpha * g_g, m_hat = problem.alpha * g_eta / spread;
    const double V_hat = at.m / at.q * m_hat - problem.alpha * g_epsilon / std::sqrt(at.q);
    const double V = 1 / (V_hat + 2 * problem.lambda);
    at = {(m_hat * m_hat * Q_star + q_hat) * V * V, m_hat * Q_star * V, V};
  }
  return solution;
}

TEST(Temperatures, OfStudentAndTargetMayDiffer) {
  // V < 1/(2λ) = 0.83 keeps the squared loss convex: 2·2·2β²/(6√3) = 1.11 < 1/V.
  for (const auto& [kind, loss] : {std::pair<model::Loss, ScalarLoss>{model::Loss::square, scalar_square},
                                   {model::Loss::cross_entropy, scalar_cross_entropy}}) {
    model::Problem problem = cross(1, 2, 3, kind);
    problem.student = model::Student::direct;
    problem.lambda = 0.6;
    problem.noise = 0.2;
    problem.beta = 1.2;
    problem.target_beta = 0.7;
    const ScalarSolution expected = scalar_solution(loss, problem, problem.target.Q_star());
    constexpr double kAccuracy = 1e-4;  // two standard errors: the bound is five
    const Solution solution = solved(problem, kAccuracy);
    const auto expect_share = [](double value, double wanted) { EXPECT_NEAR(value, wanted, 2.5 * kAccuracy * wanted); };
    expect_share(solution.overlaps.q, expected.at.q);
    expect_share(solution.overlaps.m, expected.at.m);
    expect_share(solution.overlaps.V, expected.at.V);
    expect_share(solution.errors.train, expected.train);
    expect_share(solution.errors.test, expected.test);
  }
}

TEST(Temperatures, OnlyScaleAStudentThatFitsItsLabels) {
  model::Problem problem = cross(2, 2, 0.2);
  problem.lambda_rule = model::LambdaRule::ridgeless;
  problem.noise = 0.3;
  const Solution same = solved(problem, 1e-3);
  ASSERT_EQ(same.ridgeless->phase, RidgelessPhase::interpolating);
  problem.beta = 2;
  const Solution half = solved(problem, 1e-3);
  EXPECT_NEAR(half.overlaps.q, same.overlaps.q / 4, 1e-9);
  EXPECT_NEAR(half.overlaps.m, same.overlaps.m / 2, 1e-9);
  EXPECT_NEAR(half.errors.test, same.errors.test, 1e-9);
}

TEST(CrossAttention, RowsAreAsGoodAsSequences) {
  for (const auto loss : {model::Loss::square, model::Loss::cross_entropy})
    for (const int keys : {2, 3}) {
      const Solution two = solved(cross(2, keys, 0.3, loss), 1e-3), one = solved(cross(1, keys, 0.6, loss), 1e-3);
      EXPECT_NEAR(two.overlaps.q, one.overlaps.q, 1e-12);
      EXPECT_NEAR(two.overlaps.m, one.overlaps.m, 1e-12);
      EXPECT_NEAR(two.overlaps.V, one.overlaps.V, 1e-12);
      EXPECT_NEAR(two.errors.train, 2 * one.errors.train, 1e-12);
      EXPECT_NEAR(two.errors.test, 2 * one.errors.test, 1e-12);
      EXPECT_NEAR(two.errors.objective, one.errors.objective, 1e-12);
    }
}

TEST(CrossAttention, ReadsOneEntryOfARow) {
  // One of two entries tells the whole row: ℓ = r² instead of 2r², so half the penalty gives the same student.
  model::Problem rows = cross(1, 2, 0.5), one = rows;
  one.readout = model::Readout::entry;
  one.lambda = 0.5 * rows.lambda;
  const Solution of_rows = solved(rows, 1e-3), of_entry = solved(one, 1e-3);
  EXPECT_NEAR(of_entry.overlaps.q, of_rows.overlaps.q, 1e-5);
  EXPECT_NEAR(2 * of_entry.errors.test, of_rows.errors.test, 1e-6);
}

}  // namespace
}  // namespace attnlaw::theory
