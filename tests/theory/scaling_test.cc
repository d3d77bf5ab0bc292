/// Scaling laws of power-law targets.

#include "attnlaw/theory/scaling.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "attnlaw/matrix_laws/semicircle_sum.h"
#include "attnlaw/theory/fitted_noise.h"
#include "attnlaw/theory/prior/denoiser.h"

namespace attnlaw::theory {
namespace {

model::Problem power_law(double gamma, int dimension, double noise, model::Head head = model::Head::linear) {
  model::Problem problem;
  problem.head = head;
  problem.noise = noise;
  problem.lambda_rule = model::LambdaRule::edge;
  problem.target = model::Target::parse("powerlaw:" + std::to_string(gamma) + "," + std::to_string(dimension));
  return problem;
}

std::vector<double> grid(double from, double to, int count) {
  std::vector<double> n;
  for (int i = 0; i < count; ++i) n.push_back(from * std::pow(to / from, i / (count - 1.0)));
  return n;
}

ScalingCurve curve_of(const model::Problem& problem, const std::vector<double>& n) {
  ScalingOptions options;
  options.solve.accuracy = 1e-2;
  return scaling_curve(problem, n, options);
}

struct HeadCase {
  model::Head head;
  double beta;
};
/// The softmax far from saturation, so that its noisy labels are not biased: the law is that of the scores.
constexpr HeadCase kHeads[] = {{model::Head::linear, 1}, {model::Head::softmax, 0.1}};

TEST(ScalingLaw, NoiselessExponentIsOneMinusTwoGamma) {
  constexpr double kTolerance = 0.04;
  for (const auto& [head, beta] : kHeads)
    for (const double gamma : {0.75, 1.0, 1.25, 1.5}) {
      const int dimension = gamma < 1 ? 100000 : 10000;  // a slow power law feels the end of its modes early
      model::Problem problem = power_law(gamma, dimension, 0, head);
      problem.beta = problem.target_beta = beta;
      const ScalingCurve curve = curve_of(problem, grid(30.0 * dimension, 300.0 * dimension, 5));
      EXPECT_NEAR(fitted_exponent(curve, Regime::noiseless), 1 - 2 * gamma, kTolerance) << gamma;
    }
}

TEST(ScalingLaw, NoiseDominatedExponentIsMinusOnePlusHalfOverGamma) {
  constexpr double kTolerance = 0.04;
  constexpr int kDimension = 10000;
  for (const auto& [head, beta] : kHeads)
    for (const double gamma : {0.75, 1.0, 1.25, 1.5}) {
      model::Problem problem = power_law(gamma, kDimension, gamma < 1 ? 3 : 1, head);
      problem.beta = problem.target_beta = beta;
      const ScalingCurve curve = curve_of(problem, grid(1000.0 * kDimension, 10000.0 * kDimension, 4));
      EXPECT_NEAR(fitted_exponent(curve, Regime::noise_dominated), -1 + 0.5 / gamma, kTolerance) << gamma;
    }
}

TEST(ScalingLaw, EndsParametric) {
  const ScalingCurve curve = curve_of(power_law(1.25, 200, 0.1), grid(1e8, 1e10, 3));
  for (const ScalingPoint& point : curve.points) {
    EXPECT_EQ(point.regime, Regime::parametric);
    EXPECT_EQ(point.recovered, 200u);
  }
  EXPECT_NEAR(fitted_exponent(curve, Regime::parametric), -1, 0.02);
}

TEST(ScalingLaw, WithoutNoiseEndsInRecovery) {
  // Full rank: at the edge E/a² = 5 < 2αK from α = 5/6 on (T = 2).
  model::Problem problem = power_law(1.25, 50, 0);
  problem.alpha = 0.85;
  EXPECT_EQ(solve(problem).errors.estimation, 0);
  problem.alpha = 0.82;
  const Solution below = solve(problem);
  EXPECT_TRUE(below.diagnostics.converged) << below.diagnostics.message;
  EXPECT_GT(below.errors.estimation, 0);
}

TEST(ScalingLaw, RecoversModesOneAfterTheOther) {
  const ScalingCurve curve = curve_of(power_law(1.25, 2000, 0.5), grid(1e3, 4e7, 28));
  ASSERT_EQ(curve.transitions.size(), 10u);
  double previous = 0;
  for (std::size_t k = 1; k < curve.transitions.size(); ++k) {
    EXPECT_EQ(curve.transitions[k].mode, k + 1);
    EXPECT_GT(curve.transitions[k].n, previous);
    previous = curve.transitions[k].n;
  }
  // At the transition of mode k, k modes are above their threshold.
  model::Problem problem = power_law(1.25, 2000, 0.5);
  const double n = curve.transitions[5].n;
  const ScalingCurve near = curve_of(problem, {0.97 * n, n, 1.03 * n});
  EXPECT_EQ(near.points.front().recovered, 5u);
  EXPECT_EQ(near.points.back().recovered, 6u);
}

TEST(ScalingLaw, CrossesOverWhereTheErrorEqualsTheNoise) {
  const ScalingCurve curve = curve_of(power_law(1.25, 2000, 0.05), grid(1e4, 1e7, 13));
  ASSERT_FALSE(curve.crossovers.empty());
  EXPECT_EQ(curve.crossovers.front().from, Regime::noiseless);
  EXPECT_EQ(curve.crossovers.front().to, Regime::noise_dominated);
  const ScalingCurve at =
      curve_of(power_law(1.25, 2000, 0.05),
               {0.9 * curve.crossovers.front().n, curve.crossovers.front().n, 1.1 * curve.crossovers.front().n});
  EXPECT_NEAR(at.points[1].solution.errors.estimation, 0.05, 0.02 * 0.05);
}

TEST(ErrorParts, SumToTheErrorBandByBand) {
  // By an independent route: every band of the whole law by its own quadrature, E = Q* + Σ_bands ∫ f (f − 2⟨S*⟩) ρ,
  // ⟨S*⟩ = (x − 2q̂ Re g)/m̂.
  for (const double lambda : {0.0, 0.02}) {  // 0: at the edge
    model::Problem problem = power_law(1.25, 400, 0.1);
    if (lambda > 0) problem.lambda_rule = model::LambdaRule::value, problem.lambda = lambda;
    const ScalingCurve curve = curve_of(problem, grid(2e4, 1e6, 4));
    for (const ScalingPoint& point : curve.points) {
      const double E = point.solution.errors.estimation;
      const auto& [q_hat, m_hat, V_hat, q_hat_a, V_hat_a] = point.solution.conjugates;
      const auto law = noisy_target(problem.target.spectrum(), point.solution.conjugates);
      const double cut = 2 * point.solution.problem.lambda;
      const double breakpoints[] = {cut};
      double bulk = 0, learned = 0, learned_weight = 0;
      for (const auto& band : law.bands())
        if (band.support.lower >= cut) learned_weight += band.mass;
      const double bulk_end = law.quantile(1 - learned_weight) + 1e-12;
      for (const auto& node : law.quadrature(breakpoints).nodes) {
        if (node.x <= cut) continue;
        const double f = (node.x - cut) / V_hat;
        (node.x <= bulk_end ? bulk : learned) +=
            node.weight * f * (f - 2 * (node.x - 2 * q_hat * node.g.real()) / m_hat);
      }
      double signal = 0;
      for (int k = 0; k < std::lround(400 * learned_weight); ++k)
        signal += std::pow(problem.target.spectrum().discrete()->atoms[static_cast<std::size_t>(399 - k)], 2) / 400;
      EXPECT_NEAR(point.parts.bulk, bulk, 1e-6 * E);
      EXPECT_NEAR(point.parts.unlearned, 1 - signal, 1e-6 * E + 1e-12);
      EXPECT_NEAR(point.parts.shrinkage + point.parts.misalignment, signal + learned, 1e-6 * E);
    }
  }
}

TEST(ErrorParts, MisalignmentIsThatOfTheOutlierFormula) {
  // 2 w s f (1 − overlap) per mode, in the limit of modes of no weight: at D = 20000 the mode nearest its transition is
  // off by its own size.
  const ScalingCurve curve = curve_of(power_law(1.25, 20000, 0.5), grid(2e6, 2e8, 3));
  for (const ScalingPoint& point : curve.points) {
    const auto& target = point.solution.problem.target.spectrum();
    const auto& conjugates = point.solution.conjugates;
    const auto law = noisy_target(target, conjugates);
    double misalignment = 0;
    for (const auto& outlier : matrix_laws::outliers(law, target.scaled(conjugates.m_hat), conjugates.q_hat)) {
      if (outlier.eigenvalue <= 2 * point.solution.problem.lambda) continue;
      const double s = outlier.target / conjugates.m_hat;
      const double f = (outlier.eigenvalue - 2 * point.solution.problem.lambda) / conjugates.V_hat;
      misalignment += 2 * s * f * (1 - outlier.overlap) / 20000;
    }
    EXPECT_NEAR(point.parts.misalignment, misalignment, 0.15 * misalignment);
  }
}

TEST(ScalingLaw, AHundredThousandModesAgreeWithTheLawResolvedInFull) {
  // The same overlaps with every band above the threshold resolved: the integrals above and below it are each other's
  // complement.
  const model::Problem problem = power_law(1.25, 100000, 0.5);
  const ScalingCurve curve = curve_of(problem, grid(1e7, 1e8, 3));
  for (const ScalingPoint& point : curve.points) {
    EXPECT_TRUE(point.solution.diagnostics.converged) << point.solution.diagnostics.message;
    const auto& conjugates = point.solution.conjugates;
    const auto law = noisy_target(problem.target.spectrum(), conjugates);
    const double cut = 2 * point.solution.problem.lambda;
    const double breakpoints[] = {cut};
    double q = 0;
    for (const auto& node : law.quadrature(breakpoints, 1e-10).nodes)
      if (node.x > cut) q += node.weight * std::pow((node.x - cut) / conjugates.V_hat, 2);
    EXPECT_NEAR(q, point.solution.overlaps.q, 1e-7 * q);
  }
}

TEST(ScalingLaw, NoiselessSoftmaxIsRecoveredWhereMessagePassingReachesTheTarget) {
  for (const model::Loss loss : {model::Loss::square, model::Loss::cross_entropy}) {
    model::Problem problem = power_law(1, 20, 0, model::Head::softmax);
    problem.loss = loss;
    const ScalingCurve curve = curve_of(problem, grid(200, 4000, 6));
    EXPECT_GT(curve.points.front().solution.errors.estimation, 0.1);
    EXPECT_EQ(curve.points.back().solution.errors.estimation, 0);
    for (const ScalingPoint& point : curve.points) EXPECT_TRUE(point.solution.diagnostics.converged) << point.n;
  }
  // No head that shows two combinations of scores recovers rank d below alpha = 5/4; the softmax needs more.
  model::Problem problem = power_law(1, 20, 0, model::Head::softmax);
  double last = 1;
  for (const double alpha : {1.3, 1.9, 2.2, 2.3}) {
    problem.alpha = alpha;
    const double E = solve(problem, {1e-2, {}}).errors.estimation;
    EXPECT_GT(E, 1e-4) << alpha;
    EXPECT_LT(E, 0.7 * last) << alpha;
    last = E;
  }
}

/// A curve at a penalty that is a number.
ScalingCurve curve_at(double lambda, model::Problem problem, const std::vector<double>& n, double exponent = 0) {
  problem.lambda_rule = model::LambdaRule::value;
  problem.lambda = lambda;
  ScalingOptions options;
  options.solve.accuracy = 1e-2;
  options.penalty_exponent = exponent;
  return scaling_curve(problem, n, options);
}

model::Problem one_token(double gamma, int dimension, double noise) {
  model::Problem problem = power_law(gamma, dimension, noise);
  problem.tokens = 1;
  return problem;
}

TEST(ScalingRegimes, ThePenaltyDominatesWithExponentTwoMinusOneOverGamma) {
  constexpr double kTolerance = 0.04;
  struct Case {
    double gamma;
    int dimension;
    double lambda;
    std::vector<double> n;
  };
  for (const auto& [gamma, dimension, lambda, n] :
       {Case{0.75, 30000, 4, grid(1e8, 1e9, 3)}, Case{1, 10000, 1.2, grid(1e7, 1e8, 4)},
        Case{1.25, 10000, 1.2, grid(1e7, 1e8, 4)}, Case{1.5, 10000, 1.2, grid(1e7, 1e8, 4)}}) {
    const ScalingCurve fixed = curve_at(lambda, one_token(gamma, dimension, 1e-3), n);
    EXPECT_EQ(clean_points(fixed, Regime::lambda_dominated), n.size()) << gamma;
    EXPECT_NEAR(fitted_exponent(fixed, Regime::lambda_dominated), -(2 - 1 / gamma), kTolerance) << gamma;
    // A penalty that grows with the data slows learning down.
    constexpr double kGrowth = 0.25;
    const ScalingCurve growing = curve_at(lambda, one_token(gamma, dimension, 1e-3), n, kGrowth);
    EXPECT_NEAR(predicted_exponent(growing, Regime::lambda_dominated), (kGrowth - 1) * (2 - 1 / gamma), 1e-15);
    EXPECT_NEAR(fitted_exponent(growing, Regime::lambda_dominated), (kGrowth - 1) * (2 - 1 / gamma), kTolerance);
    EXPECT_NEAR(fitted_penalty_exponent(growing), kGrowth, 1e-12);
  }
}

TEST(ScalingRegimes, NoiselessExponentsAreThoseOfManyModes) {
  // Where fewer than fifty modes are learned slopes are up to a tenth too small, and such points are not clean.
  constexpr double kTolerance = 0.04;
  constexpr int kDimension = 100000;
  for (const double gamma : {0.75, 1.0, 1.25, 1.5}) {
    model::Problem problem = one_token(gamma, kDimension, 0);
    problem.lambda_rule = model::LambdaRule::edge;
    const ScalingCurve curve = curve_of(problem, grid(10.0 * kDimension, 1000.0 * kDimension, 7));
    EXPECT_NEAR(fitted_exponent(curve, Regime::noiseless), 1 - 2 * gamma, kTolerance) << gamma;
    EXPECT_LT(clean_points(curve, Regime::noiseless), 6U) << gamma;
    EXPECT_GT(std::abs(curve.points.front().slope - (1 - 2 * gamma)), kTolerance) << gamma;
  }
}

TEST(ScalingRegimes, AllModesLearnedAreShrunkByTheThreshold) {
  // E → (λ/4α)² for T = 1, from above: eigenvalues are far from the threshold.
  constexpr int kDimension = 200;
  const double d2 = 1.0 * kDimension * kDimension;
  const ScalingCurve curve = curve_at(0.1, one_token(1, kDimension, 1e-7), grid(20 * d2, 200 * d2, 3));
  double previous = 1.1;
  for (const ScalingPoint& point : curve.points) {
    EXPECT_EQ(point.regime, Regime::lambda_shrinkage) << point.n;
    EXPECT_EQ(point.learned, 200U);
    const double ratio =
        point.solution.errors.estimation / std::pow(point.lambda / (4 * point.solution.problem.alpha), 2);
    EXPECT_GT(ratio, 1);
    EXPECT_LT(ratio, previous);
    previous = ratio;
  }
  EXPECT_NEAR(fitted_exponent(curve, Regime::lambda_shrinkage), -2, 0.04);
}

TEST(ScalingRegimes, NothingIsLearnedBeyondTheLargestMode) {
  const model::Problem problem = one_token(1, 10000, 1);
  const double d2 = 1e8;
  const std::vector<double> n{0.0099 * d2, 0.01 * d2, 0.0101 * d2};
  const RegimeMap map = regime_map(problem, n, {3.2, 3.15}, {});
  // 4α(s₁ + a²/s₁) of a spike alone, a² = (1 + Δ)/(2α); the other modes move it a little.
  EXPECT_NEAR(map.collapse[1], 3.170, 0.01);
  EXPECT_EQ(map.curves[0].points[1].regime, Regime::collapse);
  EXPECT_EQ(map.curves[1].points[1].regime, Regime::lambda_dominated);
  // λ_edge = 4√2 √(αKΔ) where E ≪ Δ; here E is still half of Q*.
  EXPECT_GT(map.edge[1], 4 * std::sqrt(2 * 0.01));
  EXPECT_LT(map.edge[1], 4 * std::sqrt(2 * 0.01 * 2));
}

TEST(ScalingRegimes, FittedNoiseGrowsPeaksAndIsAveraged) {
  // Far below the edge: Δ (αK_eff)^(2/5), the peak at αK_eff = 1/4, and Δ/(4αK) where data are more than parameters.
  constexpr int kDimension = 10000;
  const double d2 = 1.0 * kDimension * kDimension;
  const ScalingCurve curve = curve_at(1e-3, one_token(2, kDimension, 1), {0.05 * d2, 0.25 * d2, 95 * d2, 300 * d2});
  EXPECT_EQ(curve.points[0].regime, Regime::overfitting);
  EXPECT_EQ(curve.points[1].regime, Regime::peak);
  EXPECT_EQ(curve.points[2].regime, Regime::under_regularised);
  EXPECT_TRUE(std::isnan(curve.points[1].predicted));
  const double averaged = 4 * 300 * curve.points[3].solution.errors.estimation;
  EXPECT_GT(averaged, 1);  // the modes that are learned
  EXPECT_LT(averaged, 1.01);
}

TEST(FittedNoise, HasTheLawOfTheBulk) {
  struct Row {
    double alpha, law;  ///< αK_eff
  };
  for (const auto& [alpha, law] : {Row{1e-4, 0.02011}, {1e-3, 0.05408}, {1e-2, 0.16546}, {0.05, 0.4719}, {0.2, 4.361}})
    EXPECT_NEAR(fitted_noise(4 * alpha).share, law, 2e-3 * law) << alpha;
  // 0.7664 (αK_eff)^(2/5) for little data.
  constexpr double kLittle = 1e-12;
  EXPECT_NEAR(fitted_noise(4 * kLittle).share / std::pow(kLittle, 0.4), 0.7664, 2e-4);
  EXPECT_NEAR(fitted_noise(4 * kLittle).exponent, 0.4, 1e-4);
  for (const double data : {1e-3, 0.1, 0.5, 0.9}) {
    constexpr double kStep = 1e-4;
    const double difference =
        std::log(fitted_noise(data * std::exp(kStep)).share) - std::log(fitted_noise(data * std::exp(-kStep)).share);
    // The difference leaves out its step squared times the third derivative, some (1 − data)⁻² of the exponent.
    EXPECT_NEAR(fitted_noise(data).exponent, difference / (2 * kStep), 1e-6 * fitted_noise(data).exponent) << data;
  }
  for (const double outside : {0.0, 1.0, -1.0}) EXPECT_THROW(fitted_noise(outside), std::invalid_argument) << outside;
}

/// A target that is nothing beside the noise of the labels.
model::Problem noise_alone(model::Head head, int tokens) {
  model::Problem problem = power_law(2, 10000, 1e4, head);
  problem.tokens = tokens;
  problem.lambda_rule = model::LambdaRule::ridgeless;
  if (head == model::Head::softmax) problem.beta = problem.target_beta = 0.01;
  return problem;
}

TEST(ScalingRegimes, FittedNoiseIsThatOfTheLaw) {
  for (const auto& [head, tokens] : {std::pair(model::Head::linear, 1), std::pair(model::Head::softmax, 2)}) {
    const model::Problem problem = noise_alone(head, tokens);
    std::vector<double> n;
    for (const double alpha : {1e-4, 1e-3, 1e-2, 0.05, 0.2})
      n.push_back(alpha * 1e8 / (tokens * (tokens + 1) / 2 - (head == model::Head::softmax ? 1 : 0)));
    for (const ScalingPoint& point : curve_of(problem, n).points) {
      const FittedNoise law = fitted_noise(data_per_peak(point.solution.problem));
      EXPECT_NEAR(point.parts.bulk / (problem.noise + 1), law.share, 2e-3 * law.share) << point.n;
      if (point.regime == Regime::overfitting) {
        EXPECT_EQ(point.predicted, law.exponent);
      }
    }
  }
}

TEST(ScalingRegimes, FittedNoiseHasTheExponentOfItsLaw) {
  // The slope of the law grows from 2/5 with the data: .42, .45 and .55 at αK_eff = 10⁻⁴, 10⁻³, 10⁻².
  for (const auto& [alpha, slope] : {std::pair(1e-4, 0.417), {1e-3, 0.447}, {1e-2, 0.546}})
    EXPECT_NEAR(fitted_noise(4 * alpha).exponent, slope, 1e-3);
  model::Problem problem = noise_alone(model::Head::linear, 1);
  const ScalingCurve curve = curve_at(1e-3, problem, grid(1e3, 1e6, 7));
  EXPECT_EQ(clean_points(curve, Regime::overfitting), 7U);
  const double fitted = fitted_exponent(curve, Regime::overfitting);
  EXPECT_NEAR(fitted, predicted_exponent(curve, Regime::overfitting), 0.01);
  EXPECT_GT(fitted, 0.42);
  // A penalty of a tenth of the edge holds back noise the more the less data there are: such points are not clean.
  const ScalingCurve held = curve_at(50, problem, grid(1e4, 1e6, 3));
  EXPECT_LT(clean_points(held, Regime::overfitting), 3U);
}

TEST(ScalingRegimes, ErrorsGrowWithThePenaltyByTheirExponent) {
  constexpr int kDimension = 30000;
  const double d2 = 1.0 * kDimension * kDimension;
  struct Case {
    double gamma, fitted;
  };
  // As measured at D = 10⁵.
  for (const auto& [gamma, fitted] : {Case{0.75, 0.687}, {1, 0.995}, {1.25, 1.191}, {1.5, 1.320}}) {
    const RegimeMap map =
        regime_map(one_token(gamma, kDimension, 0.01), {0.29 * d2, 0.3 * d2, 0.31 * d2}, {8, 5.04, 3.17, 2}, {});
    std::size_t seen = 0;
    for (const PenaltyFit& fit : map.penalty_fits) {
      EXPECT_EQ(fit.regime, Regime::lambda_dominated);
      EXPECT_EQ(fit.clean_points, 4U);
      EXPECT_NEAR(fit.predicted, 2 - 1 / gamma, 1e-15);
      EXPECT_NEAR(fit.fitted, fitted, 0.02) << gamma;
      ++seen;
    }
    EXPECT_EQ(seen, 3U) << gamma;
  }
}

TEST(ScalingRegimes, TheBestPenaltyGrowsLikeTheRootOfTheData) {
  model::Problem problem = one_token(1, 100000, 1);
  problem.lambda_rule = model::LambdaRule::optimal;
  const double d2 = 1e10;
  const ScalingCurve best = curve_of(problem, grid(0.01 * d2, d2, 3));
  EXPECT_NEAR(fitted_penalty_exponent(best), 0.5, 0.02);
  EXPECT_NEAR(fitted_exponent(best, Regime::noise_dominated), -0.5, 0.02);
  problem.lambda_rule = model::LambdaRule::edge;
  const ScalingCurve edge = curve_of(problem, grid(0.01 * d2, d2, 3));
  for (std::size_t i = 0; i < edge.points.size(); ++i) {
    EXPECT_GT(best.points[i].lambda, 0.6 * edge.points[i].lambda);
    EXPECT_LT(best.points[i].lambda, edge.points[i].lambda);
  }
}

TEST(ScalingRegimes, RejectsWhatHasNoMap) {
  const auto rejects = [](const auto& call, const char* message) {
    EXPECT_THAT(call, testing::ThrowsMessage<std::invalid_argument>(testing::HasSubstr(message)));
  };
  const std::vector<double> n{1e3, 1e4, 1e5};
  rejects([&] { regime_map(one_token(1, 100, 1), n, {0.1, 0.2}, {}); }, "descending order, got 0.2");
  model::Problem direct = one_token(1, 100, 1);
  direct.student = model::Student::direct;
  rejects([&] { regime_map(direct, n, {0.2, 0.1}, {}); }, "got direct");
  ScalingOptions growing;
  growing.penalty_exponent = 0.5;
  rejects([&] { scaling_curve(one_token(1, 100, 1), n, growing); }, "lambda that is a number, got edge");
}

TEST(TestParts, SumToTheTestErrors) {
  // Softmax, T = 2, powerlaw:1.25,200, λ = 0.05, Δ = 0.1, α = 1: a transverse error costs .42, one along the target
  // less.
  const ScalingCurve curve = curve_at(0.05, power_law(1.25, 200, 0.1, model::Head::softmax), {3.9e4, 4e4, 4.1e4});
  const ScalingPoint& point = curve.points[1];
  const Errors& errors = point.solution.errors;
  const auto sum = [&](const TestParts& parts) {
    return parts.floor + parts.price * point.parts.sum() + parts.amplitude;
  };
  EXPECT_NEAR(sum(point.test_parts), errors.test, 1e-6 * errors.test);
  EXPECT_NEAR(sum(point.noisy_parts), errors.test_noisy, 1e-6 * errors.test_noisy);
  EXPECT_NEAR(point.test_parts.floor, 0, 1e-15);
  EXPECT_NEAR(point.test_parts.price, 0.4204, 5e-4);
  EXPECT_NEAR(point.test_parts.amplitude, -0.00202, 1e-5);
  EXPECT_NEAR(point.noisy_parts.floor, 0.03702, 1e-5);
  EXPECT_NEAR(point.noisy_parts.price, 0.4121, 5e-4);
  EXPECT_NEAR(point.noisy_parts.amplitude, -0.00307, 1e-5);
}

TEST(TestParts, OfALinearHeadAreTheEstimationErrorAlone) {
  // The test error is T(T + 1) E: no error along the target is cheaper than another.
  const ScalingCurve curve = curve_at(0.05, power_law(1.25, 200, 0.1), {3.9e4, 4e4, 4.1e4});
  const TestParts& parts = curve.points[1].test_parts;
  EXPECT_NEAR(parts.price, 6, 1e-9);
  EXPECT_NEAR(parts.amplitude, 0, 1e-9);
  EXPECT_NEAR(curve.points[1].noisy_parts.floor, 6 * 0.1, 1e-9);
}

TEST(TestParts, PricesAreThoseOfTheLinearisedHeadCloseToTheTarget) {
  // T = 2, Q* = 1.5: C₁ = 12 β² E s'(βu)² = .33271 for u ~ N(0, 3 Q*), and 4 β² E s'(βu)² u²/Q* = .07076.
  model::Problem problem;
  problem.target = model::Target::parse("wishart:0.5");
  problem.alpha = 3;
  problem.lambda = 0.05;
  const Solution solution = solve(problem);
  const TestParts parts = test_parts(solution, 0);
  EXPECT_NEAR(parts.price, 0.3545, 5e-4);
  EXPECT_NEAR(solution.errors.test, 0.00038, 5e-6);
  problem.alpha = 60;
  const Solution close = solve(problem);
  const TestParts limit = test_parts(close, 0);
  EXPECT_NEAR(limit.price, 0.33271, 2e-3);
  const double c = close.overlaps.m / close.Q_star - 1;
  EXPECT_NEAR(limit.amplitude / (c * c * close.Q_star), 0.07076 - 0.33271, 5e-3);
}

TEST(ScalingLaw, RejectsWhatHasNoPowerLaw) {
  const auto rejects = [](const model::Problem& problem, const std::vector<double>& n, const char* message) {
    EXPECT_THAT([&] { curve_of(problem, n); },
                testing::ThrowsMessage<std::invalid_argument>(testing::HasSubstr(message)));
  };
  model::Problem wishart = power_law(1, 100, 0);
  wishart.target = model::Target();
  rejects(wishart, {1, 2, 3}, "got wishart:0.5");
  rejects(power_law(1, 100, 0), {1e4, 2e4}, "at least 3 values of n");
  rejects(power_law(1, 100, 0), {1e4, 1e4, 2e4}, "ascending");
  rejects(power_law(1, 100, 0), {-1, 1e4, 2e4}, "got -1");
  model::Problem narrow = power_law(1, 100, 0);
  narrow.width = 0.3;
  rejects(narrow, {1, 2, 3}, "needs the full width");
  model::Problem bayes = power_law(1, 100, 0);
  bayes.student = model::Student::bayes, bayes.lambda_rule = model::LambdaRule::none;
  rejects(bayes, {1, 2, 3}, "students tied and direct");
}

}  // namespace
}  // namespace attnlaw::theory
