/// Cross-attention: the symmetrised law of singular values, thresholds, and the numbers of docs/theory/
/// cross_attention.md.

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "attnlaw/base/estimate.h"
#include "attnlaw/base/linear_algebra.h"
#include "attnlaw/base/random.h"
#include "attnlaw/matrix_laws/semicircle_sum.h"
#include "attnlaw/matrix_laws/standard_laws.h"
#include "attnlaw/theory/bayes.h"
#include "attnlaw/theory/continuation.h"
#include "attnlaw/theory/optimal_lambda.h"
#include "attnlaw/theory/scaling.h"
#include "attnlaw/theory/solve.h"
#include "attnlaw/theory/trained_student.h"
#include "problems.h"

namespace attnlaw::theory {
namespace {

using matrix_laws::ProductSpectrum;
using matrix_laws::Spectrum;

/// Half a unit of the last printed digit.
double printed(int digits) { return 0.501 * std::pow(10, -digits); }

model::Problem cross(int queries, int keys, double kappa, double alpha = 1, double lambda = 0.05, double noise = 0) {
  model::Problem problem = samples::crossed({}, queries, keys);
  problem.target = model::Target::parse("product:" + std::to_string(kappa));
  problem.alpha = alpha;
  problem.lambda = lambda;
  problem.noise = noise;
  return problem;
}

/// Ridgeless, with a linear head of one query and one key: K_eff = 1 and no sampling.
model::Problem ridgeless(double kappa, double alpha, double noise) {
  model::Problem problem = cross(1, 1, kappa, alpha, 1, noise);
  problem.head = model::Head::linear;
  problem.lambda_rule = model::LambdaRule::ridgeless;
  return problem;
}

struct LawRow {
  double kappa, m_hat, q_hat;
  std::vector<double> edges;
  double q, V, m, nuclear, zero_mass, response;
};

// ∬(Δf/Δx)² has a corner at the threshold: computed with panels graded towards it, from the quartic by numpy.roots.
const LawRow kLawRows[] = {
    {0.5, 1, 0.3, {3.10921}, 0.55722, 0.46207, 0.67110, 0.42084, 0.48721, 0.341866},
    {0.3, 1.2, 0.02, {0.23634, 0.71357, 4.03201}, 0.82537, 0.34818, 0.89736, 0.43071, 0.70000, 0.25422},
    {2, 0.8, 0.1, {1.96886}, 0.19350, 0.40906, 0.38400, 0.25768, 0.49127, 0.285668}};
constexpr double kThreshold = 0.6;

TEST(CrossAttentionLaw, HasThePrintedIntegrals) {
  for (const LawRow& row : kLawRows) {
    const Spectrum target = ProductSpectrum{row.kappa, 1};
    const Conjugates conjugates{row.q_hat, row.m_hat, 1};
    const ThresholdDenoiser denoiser(kThreshold, 1, Symmetry::general);
    const matrix_laws::Law law = noisy_target(target, conjugates);
    std::vector<double> edges;
    for (const auto& band : law.bands())
      for (const double edge : {band.support.lower, band.support.upper})
        if (edge > 0) edges.push_back(edge);
    ASSERT_EQ(edges.size(), row.edges.size());
    for (std::size_t i = 0; i < edges.size(); ++i) EXPECT_NEAR(edges[i], row.edges[i], printed(5));
    const Denoiser::Result result = denoiser.evaluate(target, conjugates);
    EXPECT_NEAR(result.overlaps.q, row.q, printed(5));
    EXPECT_NEAR(result.overlaps.V, row.V, printed(5));
    EXPECT_NEAR(result.overlaps.m, row.m, printed(5));
    EXPECT_NEAR(result.penalty, row.nuclear, printed(5));
    EXPECT_NEAR(result.zero_mass, row.zero_mass, printed(5));
    EXPECT_NEAR(denoiser.squared_response(law, conjugates).symmetric, row.response, printed(5));
    EXPECT_LT(result.law_error, 1e-12);
  }
}

TEST(CrossAttentionLaw, WeakAndStrongSignalsHaveTheSameOverlap) {
  // m by Gaussian integration by parts, and node by node where that cancels.
  const ThresholdDenoiser denoiser(0.5, 1, Symmetry::general);
  for (const Spectrum& target : {Spectrum(ProductSpectrum{0.4, 1}),
                                 matrix_laws::symmetrised(Spectrum::from_eigenvalues(std::vector{0.0, 0.5, 1.5}))}) {
    const double Q_star = target.second_moment();
    const double weak = denoiser.evaluate(target, {1, 0.99e-2 / std::sqrt(Q_star), 1}).overlaps.m;
    const double strong = denoiser.evaluate(target, {1, 1.01e-2 / std::sqrt(Q_star), 1}).overlaps.m;
    // m/m̂ itself changes by a share of m̂² Q*/q̂ = 1e-4, times the 4 % between the two.
    EXPECT_NEAR(weak / 0.99, strong / 1.01, 1e-5 * weak);
  }
}

TEST(CrossAttentionLaw, OfNoiseAloneIsTheQuarterCircle) {
  // Without threshold the student is M/V̂: q = q̂/V̂², V = 1/V̂, ‖S‖_*/d = 8√q̂/(3πV̂), no zeros.
  const double q_hat = 0.7, V_hat = 1.3;
  const auto result = ThresholdDenoiser(0, 1, Symmetry::general).evaluate(ProductSpectrum{0.5, 1}, {q_hat, 0, V_hat});
  EXPECT_NEAR(result.overlaps.q, q_hat / (V_hat * V_hat), 1e-12);
  EXPECT_NEAR(result.overlaps.V, 1 / V_hat, 1e-12);
  EXPECT_NEAR(result.overlaps.m, 0, 1e-12);
  EXPECT_NEAR(result.penalty, 8 * std::sqrt(q_hat) / (3 * std::numbers::pi * V_hat), 1e-12);
  EXPECT_NEAR(result.zero_mass, 0, 1e-12);
}

/// M = m̂ diag(s) + √q̂ G and its decomposition: the noise is invariant under rotations of both sides.
struct Sample {
  std::size_t d;
  std::vector<double> target;
  base::SingularValueDecomposition M;

  Sample(std::vector<double> singular_values, double m_hat, double q_hat, std::uint64_t stream)
      : d(singular_values.size()), target(std::move(singular_values)) {
    std::vector<double> matrix(d * d);
    base::NormalStream(7, stream).fill(0, std::span<double>(matrix));
    for (double& entry : matrix) entry *= std::sqrt(q_hat / static_cast<double>(d));
    for (std::size_t i = 0; i < d; ++i) matrix[i * d + i] += m_hat * target[i];
    base::use_one_blas_thread();
    M = base::singular_value_decomposition(matrix, d, d);
  }
};

TEST(CrossAttentionLaw, SlowOneMatrixOfSize800) {
  constexpr std::size_t kSize = 800;
  const LawRow& row = kLawRows[0];
  const Sample sample(model::Target::parse("product:0.5").eigenvalues(kSize, 1, 0), row.m_hat, row.q_hat, 1);
  double q = 0, V = 0, m = 0, nuclear = 0, zeros = 0;
  const auto f = [](double x) { return std::max(0.0, x - kThreshold); };
  for (std::size_t i = 0; i < kSize; ++i) {
    const double x = sample.M.values[i];
    q += f(x) * f(x);
    nuclear += f(x);
    zeros += x <= kThreshold;
    V += x > kThreshold;
    for (std::size_t k = 0; k < kSize; ++k) {
      const double y = sample.M.values[k];
      if (k != i) V += (x * f(x) - y * f(y)) / (x * x - y * y);
      m += f(x) * sample.M.left[k * kSize + i] * sample.target[k] * sample.M.right[i * kSize + k];
    }
  }
  const double d = kSize;
  // Fluctuations of linear statistics are O(1/d), and so are corrections.
  constexpr double kShare = 6e-3;
  EXPECT_NEAR(q / d, row.q, kShare * row.q);
  EXPECT_NEAR(V / (d * d), row.V, kShare * row.V);
  EXPECT_NEAR(m / d, row.m, kShare * row.m);
  EXPECT_NEAR(nuclear / d, row.nuclear, kShare * row.nuclear);
  EXPECT_NEAR(zeros / d, row.zero_mass, kShare * row.zero_mass);
}

TEST(CrossAttentionLaw, OutliersAreThoseOfSampledMatrices) {
  constexpr std::size_t kSize = 300;
  constexpr double kSpike = 4, m_hat = 1, q_hat = 0.5;
  double position = 0, left = 0, right = 0, predicted = 0, overlap = 0;
  constexpr int kInstances = 4;
  for (std::uint64_t instance = 0; instance < kInstances; ++instance) {
    std::vector<double> values = model::Target::parse("product:0.5").eigenvalues(kSize, 1, instance);
    values.front() = kSpike;
    const Spectrum target = matrix_laws::symmetrised(Spectrum::from_eigenvalues(values));
    const auto outliers = matrix_laws::outliers(matrix_laws::semicircle_sum(target.scaled(m_hat), q_hat),
                                                target.scaled(m_hat), q_hat, matrix_laws::Values::singular_values);
    ASSERT_EQ(outliers.size(), 1u);
    EXPECT_DOUBLE_EQ(outliers[0].target, m_hat * kSpike);
    const Sample sample(values, m_hat, q_hat, instance);
    predicted += outliers[0].eigenvalue / kInstances;
    overlap += outliers[0].overlap / kInstances;
    position += sample.M.values[0] / kInstances;
    left += std::pow(sample.M.left[0], 2) / kInstances;
    right += std::pow(sample.M.right[0], 2) / kInstances;
  }
  // One matrix fluctuates by √(q̂/d) = 0.04 in position.
  EXPECT_NEAR(position, predicted, 0.05);
  EXPECT_NEAR(left, overlap, 0.02);
  EXPECT_NEAR(right, overlap, 0.02);
}

TEST(CrossAttentionLaw, OutliersOfABulkAtZeroAreSpikedGinibre) {
  std::vector<double> values(2000, 0.0);
  values.front() = 1.7;
  const double q_hat = 0.8, w = 1.7;
  const Spectrum target = matrix_laws::symmetrised(Spectrum::from_eigenvalues(values));
  const auto outliers = matrix_laws::outliers(matrix_laws::semicircle_sum(target, q_hat), target, q_hat,
                                              matrix_laws::Values::singular_values);
  ASSERT_EQ(outliers.size(), 1u);
  EXPECT_NEAR(outliers[0].eigenvalue, w + q_hat / w, 1e-12);
  EXPECT_NEAR(outliers[0].overlap, 1 - q_hat / (w * w), 1e-12);
}

TEST(CrossAttentionThresholds, RecoveryIsTheStatisticalDimensionOfTheNuclearNorm) {
  struct Row {
    double kappa, D, t, two_two, two_three, bayes;
  };
  constexpr Row kRows[] = {{0.05, 0.202145, 1.262021, 0.101072, 0.050536, 0.04875},
                           {0.1, 0.351144, 1.047222, 0.175572, 0.087786, 0.09500},
                           {0.2, 0.571690, 0.776125, 0.285845, 0.142922, 0.18000},
                           {0.5, 0.905417, 0.323567, 0.452709, 0.226354, 0.37500}};
  for (const Row& row : kRows) {
    const model::Problem problem = cross(2, 2, row.kappa), wider = cross(2, 3, row.kappa);
    const auto at = recovery(problem, problem.target_law());
    ASSERT_TRUE(at);
    EXPECT_NEAR(at->D, row.D, printed(6));
    EXPECT_NEAR(at->t, row.t, printed(6));
    EXPECT_NEAR(at->alpha, row.two_two, printed(6));
    EXPECT_NEAR(recovery(wider, wider.target_law())->alpha, row.two_three, printed(6));
    EXPECT_NEAR(bayes_recovery(problem, problem.target_law()), row.bayes, 1e-6);
  }
  // Any matrix has singular values: a target of full rank needs as many equations as unknowns.
  const model::Problem full = cross(2, 2, 1.5);
  EXPECT_DOUBLE_EQ(recovery(full, full.target_law())->alpha, 0.5);
  // The same number from a list of singular values.
  std::vector<double> values(1000, 0.0);
  for (std::size_t i = 0; i < 200; ++i) values[i] = 1 + 0.01 * static_cast<double>(i);
  EXPECT_NEAR(recovery(full, matrix_laws::symmetrised(Spectrum::from_eigenvalues(values)))->D, 0.571690, printed(6));
}

TEST(CrossAttentionThresholds, InterpolationIsACountOfEquations) {
  for (const double noise : {0.1, 3.0}) {
    const model::Problem problem = cross(2, 3, 0.3, 1, 0.05, noise);
    EXPECT_DOUBLE_EQ(interpolation(problem, problem.target_law())->alpha, 0.25);
    model::Problem direct = problem;
    direct.student = model::Student::direct;
    EXPECT_DOUBLE_EQ(interpolation(direct, direct.target_law())->alpha, 0.25);
  }
  const model::Problem noiseless = cross(2, 2, 0.3);
  EXPECT_FALSE(interpolation(noiseless, noiseless.target_law()));
}

TEST(CrossAttentionRidgeless, HasThePrintedErrors) {
  const Solution first = solve(ridgeless(0.3, 0.3, 0));
  ASSERT_TRUE(first.diagnostics.converged) << first.diagnostics.message;
  EXPECT_NEAR(first.errors.estimation, 0.568110, printed(6));
  EXPECT_NEAR(first.ridgeless->a, 1.376117, printed(6));
  EXPECT_NEAR(first.ridgeless->t, 1.486994, printed(6));
  EXPECT_NEAR(solve(ridgeless(0.3, 0.5, 0)).errors.estimation, 0.190681, printed(6));
  EXPECT_NEAR(solve(ridgeless(0.3, 0.8, 0.25)).errors.estimation, 1.242227, printed(6));
}

TEST(CrossAttentionRidgeless, PeaksWhereAllLabelsCanJustBeFitted) {
  // E ≃ Δ/(1 − αK_eff).
  struct Row {
    double alpha, E;
    int digits;
  };
  for (const auto& [alpha, E, digits] : {Row{0.9, 2.433, 3}, Row{0.95, 4.898, 3}, Row{0.98, 12.37, 2}}) {
    const Solution solution = solve(ridgeless(0.3, alpha, 0.25));
    ASSERT_TRUE(solution.diagnostics.converged) << alpha << solution.diagnostics.message;
    EXPECT_NEAR(solution.errors.estimation, E, printed(digits)) << alpha;
    EXPECT_NEAR(solution.errors.estimation * (1 - alpha) / 0.25, 1, 1 - alpha) << alpha;
  }
}

TEST(CrossAttentionRidgeless, IsStable) {
  for (const double noise : {0.0, 0.25, 2.0})
    for (const double alpha : {0.1, 0.4, 0.7, 0.95}) {
      const Solution solution = solve(ridgeless(0.3, alpha, noise));
      if (solution.ridgeless->phase != RidgelessPhase::interpolating) continue;
      EXPECT_LE(solution.diagnostics.replicon, 1) << alpha << " " << noise;
      EXPECT_GT(solution.diagnostics.replicon, 0);
    }
}

TEST(CrossAttentionRidgeless, DirectStudentIsTheLeastNormSolution) {
  // c = αK_eff < 1 equations on Gaussian features: S = projection of S* plus noise, E = (1 − c) Q* + Δ c/(1 − c).
  for (const double c : {0.2, 0.7}) {
    model::Problem problem = ridgeless(0.3, c, 0.4);
    problem.student = model::Student::direct;
    EXPECT_NEAR(solve(problem).errors.estimation, 1 - c + 0.4 * c / (1 - c), 1e-8);
    // Beyond, least squares: E = Δ/(c − 1).
    problem.alpha = 1 + c;
    EXPECT_NEAR(solve(problem).errors.estimation, 0.4 / c, 1e-8);
    problem.student = model::Student::untied;
    EXPECT_NEAR(solve(problem).errors.estimation, 0.4 / c, 1e-6);
  }
  model::Problem problem = ridgeless(0.3, 0.6, 0);
  EXPECT_EQ(solve(problem).ridgeless->phase, RidgelessPhase::interpolating);
  problem.alpha = 0.75;  // D(0.3) = 0.7246
  const Solution recovered = solve(problem);
  EXPECT_EQ(recovered.ridgeless->phase, RidgelessPhase::recovered);
  EXPECT_NEAR(recovered.spectrum.zero_mass, 0.7, 1e-12);
  ASSERT_EQ(recovered.spectrum.edges.size(), 1u);
  EXPECT_NEAR(recovered.spectrum.edges[0].upper, ProductSpectrum({0.3, 1}).bulk().upper, 1e-12);
  EXPECT_NEAR(TrainedLaw(recovered, problem.target_law()).cdf(0), 0.7, 1e-12);
}

/// A noisy linear head with a penalty: everything but the law in closed form.
model::Problem linear(double alpha, double lambda, double noise) {
  model::Problem problem = cross(2, 3, 0.4, alpha, lambda, noise);
  problem.head = model::Head::linear;
  return problem;
}

TEST(CrossAttentionSpectrum, IsThatOfSingularValues) {
  const model::Problem problem = linear(0.2, 0.1, 0.2);
  const Solution solution = solve(problem);
  ASSERT_TRUE(solution.diagnostics.converged);
  const TrainedSpectrum& spectrum = solution.spectrum;
  for (const auto& edge : spectrum.edges) EXPECT_GE(edge.lower, 0);
  const TrainedLaw law(solution, problem.target_law());
  const double top = spectrum.edges.back().upper;
  EXPECT_NEAR(law.cdf(0), spectrum.zero_mass, 1e-9);
  EXPECT_NEAR(law.cdf(top), 1, 1e-9);
  EXPECT_EQ(law.cdf(-0.1), 0);
  const TrainedLaw::Curve curve = law.density();
  double mass = 0, square = 0, nuclear = 0;
  for (std::size_t i = 0; i + 1 < curve.s.size(); ++i) {
    const double width = curve.s[i + 1] - curve.s[i], s = 0.5 * (curve.s[i] + curve.s[i + 1]);
    const double density = 0.5 * (curve.density[i] + curve.density[i + 1]);
    mass += density * width, nuclear += density * width * s, square += density * width * s * s;
  }
  EXPECT_NEAR(mass, 1 - spectrum.zero_mass, 2e-3);
  EXPECT_NEAR(square, solution.overlaps.q, 5e-3 * solution.overlaps.q);
  const Collapse& collapse = spectrum.collapse;
  EXPECT_NEAR(collapse.nuclear_frobenius, nuclear / std::sqrt(solution.overlaps.q), 2e-3);
  EXPECT_NEAR(collapse.effective_rank, std::pow(collapse.nuclear_frobenius, 2), 1e-12);
  EXPECT_NEAR(collapse.stable_rank, solution.overlaps.q / (top * top), 1e-9);
  EXPECT_NEAR(collapse.rank_fraction, 1 - spectrum.zero_mass, 1e-12);
}

TEST(CrossAttentionSpectrum, OfADirectStudentHasNoZeros) {
  model::Problem problem = linear(0.2, 0.1, 0.2);
  problem.student = model::Student::direct;
  const Solution solution = solve(problem);
  ASSERT_TRUE(solution.diagnostics.converged);
  const auto& [q_hat, m_hat, V_hat, q_hat_a, V_hat_a] = solution.conjugates;
  // S = M/(V̂ + 2λ).
  EXPECT_NEAR(solution.overlaps.V, 1 / (V_hat + 0.2), 1e-9);
  EXPECT_EQ(solution.spectrum.zero_mass, 0);
  for (const auto& edge : solution.spectrum.edges) EXPECT_GE(edge.lower, 0);
  const TrainedLaw law(solution, problem.target_law());
  EXPECT_NEAR(law.cdf(0), 0, 1e-9);
  EXPECT_NEAR(law.cdf(solution.spectrum.edges.back().upper), 1, 1e-9);
}

TEST(CrossAttentionCollapse, IsTheUpperEdgeAtZero) {
  model::Problem problem = linear(0.2, 0.1, 0.2);
  const double collapse = collapse_lambda(problem, problem.target_law());
  problem.lambda = 1.001 * collapse;
  EXPECT_EQ(solve(problem).overlaps.q, 0);
  problem.lambda = 0.98 * collapse;
  EXPECT_GT(solve(problem).overlaps.q, 0);
}

TEST(CrossAttentionLambda, OptimumIsAMinimum) {
  model::Problem problem = linear(0.2, 0.1, 0.2);
  problem.lambda_rule = model::LambdaRule::optimal;
  const Solution best = solve(problem);
  ASSERT_EQ(best.optimal_lambda->where, "interior");
  problem.lambda_rule = model::LambdaRule::value;
  for (const double factor : {0.8, 1.25}) {
    problem.lambda = factor * best.optimal_lambda->lambda;
    EXPECT_GT(solve(problem).errors.test, best.errors.test);
  }
}

TEST(CrossAttentionLambda, EdgeLeavesNoNoise) {
  model::Problem problem = linear(0.6, 0.1, 0.2);
  problem.lambda_rule = model::LambdaRule::edge;
  const Solution solution = solve(problem);
  ASSERT_TRUE(solution.diagnostics.converged);
  EXPECT_NEAR(solution.problem.lambda, 2 * std::sqrt(solution.conjugates.q_hat), 1e-9);
  problem = solution.problem;
  const Solution again = solve(problem);
  EXPECT_NEAR(again.errors.estimation, solution.errors.estimation, 1e-6);
  EXPECT_NEAR(again.errors.objective, solution.errors.objective, 1e-6);
}

TEST(CrossAttentionScaling, CountsModesAndSplitsTheError) {
  model::Problem problem = cross(1, 1, 0.5);
  problem.head = model::Head::linear;
  problem.target = model::Target::parse("powerlaw:1,300");
  problem.noise = 1;
  problem.lambda_rule = model::LambdaRule::edge;
  const double d = 300;
  const ScalingCurve curve = scaling_curve(problem, {20 * d, 60 * d, 200 * d, 600 * d}, {});
  for (const ScalingPoint& point : curve.points) {
    ASSERT_TRUE(point.solution.diagnostics.converged);
    EXPECT_NEAR(point.parts.sum(), point.solution.errors.estimation, 1e-9);
    for (const double part : {point.parts.unlearned, point.parts.shrinkage, point.parts.misalignment})
      EXPECT_GE(part, -1e-9);
    // Modes above their transition, counted by hand.
    const double a = std::sqrt(point.solution.conjugates.q_hat) / point.solution.conjugates.m_hat;
    std::size_t above = 0;
    for (const double s : problem.target.eigenvalues(300, 0, 0)) above += s > a;
    EXPECT_EQ(point.recovered, above);
  }
  EXPECT_GT(curve.points.back().recovered, curve.points.front().recovered);
  EXPECT_EQ(curve.transitions.front().mode, 1u);
}

TEST(CrossAttentionContinuation, FollowsOneBranch) {
  const Continuation result = continue_in_alpha(linear(0.2, 0.05, 0.1), {0.05, 0.1, 0.2, 0.4});
  EXPECT_TRUE(result.converged);
  EXPECT_EQ(result.branches.size(), 1u);
}

/// Order parameters and errors to the digits given here: where a two-dimensional quadrature of the output channel,
/// written independently (600² points, proximal points by a scan and Newton's method), confirms them.
struct TrainedRow {
  int queries, keys;
  double alpha, lambda, kappa, train, test, estimation, q, nuclear, zero_mass;
};

const TrainedRow kTrainedRows[] = {{2, 2, 0.2, 0.05, 0.5, 0.015771, 0.15990, 0.59628, 0.24186, 0.25270, 0.60253},
                                   {2, 2, 0.3, 0.05, 0.5, 0.012261, 0.09908, 0.38908, 0.33471, 0.31877, 0.52050},
                                   {1, 2, 0.6, 0.05, 0.5, 0.006130, 0.04954, 0.38908, 0.33471, 0.31877, 0.52050},
                                   {2, 2, 0.6, 0.05, 0.5, 0.005884, 0.02182, 0.10436, 0.55942, 0.43886, 0.45638},
                                   {1, 3, 0.3, 0.05, 0.5, 0.013711, 0.07183, 0.49543, 0.25178, 0.25791, 0.59301},
                                   {2, 3, 0.2, 0.02, 0.2, 0.003571, 0.01555, 0.06434, 0.63607, 0.34053, 0.65675}};

TEST(CrossAttentionTrained, HasTheTabulatedFigures) {
  // Train, test and estimation errors are within this share at two standard errors, q and the spectrum, which may be
  // farther off, within five times of it.
  SolveOptions options;
  options.accuracy = 2e-4;
  for (const TrainedRow& row : kTrainedRows) {
    const Solution solution = solve(cross(row.queries, row.keys, row.kappa, row.alpha, row.lambda), options);
    ASSERT_TRUE(solution.diagnostics.converged) << solution.diagnostics.message;
    const Errors& errors = solution.errors;
    const double share = 5 * options.accuracy;
    EXPECT_NEAR(errors.train, row.train, share * row.train);
    EXPECT_NEAR(errors.test, row.test, share * row.test);
    EXPECT_NEAR(errors.estimation, row.estimation, share * row.estimation);
    EXPECT_NEAR(solution.overlaps.q, row.q, share * row.q);
    const double nuclear = solution.spectrum.collapse.nuclear_frobenius * std::sqrt(solution.overlaps.q);
    EXPECT_NEAR(nuclear, row.nuclear, share * row.nuclear);
    EXPECT_NEAR(solution.spectrum.zero_mass, row.zero_mass, share);
    // The objective is that of the fixed point, to second order in how far the solver stays off it.
    const double off = 1e-9 + solution.diagnostics.residual;
    EXPECT_NEAR(errors.objective, row.alpha * errors.train + row.lambda * nuclear, off * errors.objective);
  }
}

TEST(CrossAttentionTrained, HasTheTabulatedOrderParameters) {
  SolveOptions options;
  options.accuracy = 1e-4;
  const double share = options.accuracy;
  const Solution solution = solve(cross(2, 2, 0.5, 0.3), options);
  EXPECT_NEAR(solution.overlaps.m, 0.472815, share);
  EXPECT_NEAR(solution.overlaps.V, 5.67906, share * 5.7);
  EXPECT_NEAR(solution.conjugates.q_hat, 0.00208380, share * 0.0021);
  EXPECT_NEAR(solution.conjugates.m_hat, 0.0577224, share * 0.058);
  EXPECT_NEAR(solution.conjugates.V_hat, 0.0692769, share * 0.07);
  EXPECT_NEAR(solution.diagnostics.replicon, 0.4691, 1e-3);
}

TEST(CrossAttentionTrained, CollapsesAtTheTabulatedPenalty) {
  const model::Problem two = cross(2, 2, 0.5, 0.3), one = cross(1, 3, 0.5, 0.3);
  const double collapse = collapse_lambda(two, two.target_law());
  EXPECT_NEAR(collapse, 0.81732, 1e-5);
  // A trapezoidal rule of 129³ points gives 0.393829; the table, of sampled points, has 0.39384.
  EXPECT_NEAR(collapse_lambda(one, one.target_law()), 0.393829, 1e-5);
  constexpr double kTable = 5e-6;  // the sampling error of its first row, which is 0.0212522(1) at accuracy 1e-6
  for (const auto& [factor, nuclear] : {std::pair(0.7, 0.0212), {0.9, 0.0019}, {1.1, 0.0}}) {
    model::Problem problem = two;
    problem.lambda = factor * collapse;
    const Solution solution = solve(problem);
    EXPECT_NEAR(solution.spectrum.collapse.nuclear_frobenius * std::sqrt(solution.overlaps.q), nuclear,
                printed(4) + kTable);
  }
}

TEST(CrossAttentionTrained, DirectStudentHasTheTabulatedFigures) {
  model::Problem problem = cross(2, 2, 0.5, 0.3);
  problem.student = model::Student::direct;
  const Solution solution = solve(problem);
  EXPECT_NEAR(solution.overlaps.q, 0.20281, 2e-4);
  EXPECT_NEAR(solution.errors.estimation, 0.54662, 5e-4);
  EXPECT_NEAR(solution.errors.train, 0.016292, 1.6e-5);
}

TEST(CrossAttentionTrained, SmallPenaltiesApproachTheRidgelessLimit) {
  struct Row {
    double alpha, noise, E;
  };
  for (const auto& [alpha, noise, E] :
       {Row{0.15, 0, 0.56901}, {0.25, 0, 0.20014}, {0.3, 0.25, 0.67630}, {0.4, 0.25, 0.92258}}) {
    const model::Problem problem = cross(2, 2, 0.3, alpha, 1e-3, noise);
    const Solution solution = solve(problem);
    ASSERT_TRUE(solution.diagnostics.converged) << alpha << solution.diagnostics.message;
    EXPECT_NEAR(solution.errors.estimation, E, 1e-3 * E) << alpha;
  }
  SolveOptions options;
  options.accuracy = 1e-4;
  model::Problem problem = cross(2, 2, 0.3, 0.15, 1e-3);
  const double larger = solve(problem, options).errors.estimation;
  problem.lambda = 1e-4;
  const double smaller = solve(problem, options).errors.estimation;
  problem.lambda_rule = model::LambdaRule::ridgeless;
  const double limit = solve(problem, options).errors.estimation;
  EXPECT_NEAR(limit, 0.568110, printed(6));
  EXPECT_LT(std::abs(smaller - limit), 0.2 * std::abs(larger - limit));
}

/// Mean over four other draws of a finite target: it scatters as those here do.
void expect_tabulated_mean(const std::vector<double>& draws, double tabulated, const char* name) {
  const base::Estimate mean = base::estimate_of(draws);
  const double of_one = mean.standard_error * std::sqrt(static_cast<double>(draws.size()));
  const double error = std::hypot(mean.standard_error, of_one / std::sqrt(4.0));
  EXPECT_NEAR(mean.value, tabulated, 3.5 * error) << name;
}

TEST(CrossAttentionTrained, SpikesStandOutAsTabulated) {
  constexpr std::size_t kSize = 100;
  constexpr double kEdge = 1.753;
  struct Row {
    double spike, top, overlap;
  };
  for (const auto& [spike, top, overlap] : {Row{4.5, 2.665, 0.899}, Row{3.8, 2.200, 0.838}}) {
    std::vector<double> tops, overlaps, bulk_edges;
    for (std::uint64_t instance = 0; instance < 12; ++instance) {
      std::vector<double> values = model::Target::parse("product:0.5").eigenvalues(kSize, 1, instance);
      values.back() = spike;
      const Spectrum target = matrix_laws::symmetrised(Spectrum::from_eigenvalues(values));
      const Solution solution = solve(cross(2, 2, 0.5, 0.2), target);
      ASSERT_GE(solution.spectrum.outliers.size(), 1u);
      const Outlier& outlier = solution.spectrum.outliers.back();
      EXPECT_NEAR(outlier.target, spike, 1e-9);
      tops.push_back(outlier.eigenvalue);
      overlaps.push_back(outlier.overlap);
      const auto& edges = solution.spectrum.edges;
      bulk_edges.push_back(edges[edges.size() - 2].upper);
      // By hand: w = m̂ s* beside the other values t and their negatives, G(w) = mean of (1/(w − t) + 1/(w + t))/2.
      const auto& [q_hat, m_hat, V_hat, q_hat_a, V_hat_a] = solution.conjugates;
      const double w = m_hat * spike;
      double G = 0, slope = 0;
      for (std::size_t i = 0; i + 1 < kSize; ++i)
        for (const double t : {m_hat * values[i], -m_hat * values[i]}) {
          G += 0.5 / (w - t) / (kSize - 1);
          slope -= 0.5 / ((w - t) * (w - t)) / (kSize - 1);
        }
      EXPECT_NEAR(outlier.eigenvalue, (w + q_hat * G - 0.05) / V_hat, 1e-9);
      EXPECT_NEAR(outlier.overlap, 1 + q_hat * slope, 1e-9);
    }
    expect_tabulated_mean(tops, top, "position");
    expect_tabulated_mean(overlaps, overlap, "overlap");
    expect_tabulated_mean(bulk_edges, kEdge, "edge of the bulk");
  }
}

TEST(CrossAttentionRows, DependOnQueriesThroughAlphaTimesTheirNumber) {
  model::Problem two = linear(0.2, 0.1, 0.2), one = two;
  two.tokens = 2, one.tokens = 1, one.alpha = 0.4;
  const Solution a = solve(two), b = solve(one);
  EXPECT_NEAR(a.errors.estimation, b.errors.estimation, 1e-9);
  EXPECT_NEAR(a.errors.train, 2 * b.errors.train, 1e-9);
}

}  // namespace
}  // namespace attnlaw::theory
