/// Losses and penalties given as functions: against the channels of the tables, closed forms and brute force.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <stdexcept>

#include "attnlaw/model/proximal_map.h"
#include "attnlaw/model/spectral_penalty.h"
#include "attnlaw/theory/channel/custom_channel.h"
#include "attnlaw/theory/channel/output_channel.h"
#include "attnlaw/theory/evidence.h"
#include "attnlaw/theory/prior/custom_denoiser.h"
#include "attnlaw/theory/solve.h"
#include "custom_losses.h"
#include "problems.h"

namespace attnlaw::theory {
namespace {

using model::CustomLoss;
using model::CustomPenalty;
using model::Problem;
using samples::Gives;

constexpr double kQStar = 1.5;
const Overlaps kOverlaps{0.8, 0.9, 1.7};

Problem softmax(int tokens) {
  Problem problem;
  problem.tokens = tokens;
  problem.alpha = 0.4;
  problem.noise = 0.1;
  problem.beta = 1.3;
  problem.target_beta = 0.9;
  return problem;
}

void expect_same(const OutputChannel& custom, const OutputChannel& known, double tolerance) {
  const auto a = custom.evaluate(kOverlaps), b = known.evaluate(kOverlaps);
  EXPECT_NEAR(a.conjugates.q_hat, b.conjugates.q_hat, tolerance * b.conjugates.q_hat);
  EXPECT_NEAR(a.conjugates.m_hat, b.conjugates.m_hat, tolerance * b.conjugates.m_hat);
  EXPECT_NEAR(a.conjugates.V_hat, b.conjugates.V_hat, tolerance * b.conjugates.V_hat);
  EXPECT_NEAR(a.train, b.train, tolerance * b.train);
  const auto zero = custom.evaluate_at_zero(), known_zero = known.evaluate_at_zero();
  EXPECT_NEAR(zero.conjugates.q_hat, known_zero.conjugates.q_hat, tolerance * known_zero.conjugates.q_hat);
  EXPECT_NEAR(zero.conjugates.V_hat, known_zero.conjugates.V_hat, tolerance * known_zero.conjugates.V_hat);
  EXPECT_NEAR(custom.test(kOverlaps), known.test(kOverlaps), tolerance * known.test(kOverlaps));
  EXPECT_NEAR(custom.squared_response(kOverlaps).symmetric.symmetric,
              known.squared_response(kOverlaps).symmetric.symmetric,
              10 * tolerance * known.squared_response(kOverlaps).symmetric.symmetric);
}

TEST(CustomChannel, OfTheSquaredLossIsThatOfTheTables) {
  // Both take other points of the same kind. With three tokens differences take long, and are the same.
  for (const int tokens : {2, 3})
    for (const Gives gives : {Gives::values, Gives::gradient, Gives::hessian}) {
      if (tokens == 3 && gives != Gives::hessian) continue;
      const Problem known = softmax(tokens);
      const Problem custom = samples::with(known, samples::square(model::Coordinates::rows, gives));
      SCOPED_TRACE(tokens);
      const PointRule rule = SobolRule{tokens == 2 ? 13 : 11};
      expect_same(CustomChannel(custom, kQStar, rule), *make_output_channel(known, kQStar, rule),
                  tokens == 2 ? 2e-3 : 5e-3);
    }
}

TEST(CustomChannel, OfOneRowOfCrossAttentionIsThatOfTheTables) {
  for (const int keys : {2, 3, 5}) {
    SCOPED_TRACE(keys);
    Problem known = samples::crossed(softmax(2), 1, keys);
    const PointRule rule = SobolRule{12};
    expect_same(CustomChannel(samples::with(known, samples::square(model::Coordinates::row)), kQStar, rule),
                *make_output_channel(known, kQStar, rule), 5e-3);
  }
}

/// −Σ y log p.
CustomLoss cross_entropy(model::Coordinates coordinates) {
  CustomLoss loss;
  loss.coordinates = coordinates;
  loss.convex = true;
  loss.function = [](const model::SampleBlock& y, const model::SampleBlock& p, model::LossBlock& out) {
    out.value = -(y * p.log()).rowwise().sum();
    out.gradient = -y / p;
  };
  return loss;
}

TEST(CustomChannel, SumsOverLabelsThatAreDrawn) {
  Problem known = samples::crossed(softmax(2), 1, 3);
  known.loss = model::Loss::cross_entropy;
  known.labels = model::Labels::sampled;
  CustomLoss loss = cross_entropy(model::Coordinates::row);
  loss.labels = model::CustomLabels::sampled;
  Problem custom = samples::with(samples::crossed(softmax(2), 1, 3), loss);
  const PointRule rule = SobolRule{12};
  expect_same(CustomChannel(custom, kQStar, rule), *make_output_channel(known, kQStar, rule), 3e-3);
}

Problem score(CustomLoss loss) {
  Problem problem = samples::with({}, std::move(loss));
  problem.alpha = 0.4;
  problem.noise = 0.1;
  return problem;
}

TEST(CustomChannel, OfASquaredScoreIsInClosedForm) {
  Problem known = score(samples::square(model::Coordinates::score));
  const Problem custom = known;
  known.custom_loss = nullptr;
  known.readout = model::Readout::score;
  const GridRule grid{.label_step = 0.5, .radius = 7, .hermite = 5, .even = false};
  expect_same(CustomChannel(custom, kQStar, grid), *make_output_channel(known, kQStar, grid), 1e-7);
}

TEST(CustomChannel, OfTheLogisticLossOfSignsIsThatOfTheTables) {
  CustomLoss loss;
  loss.coordinates = model::Coordinates::score;
  loss.labels = model::CustomLabels::sign;
  loss.convex = true;
  loss.function = [](const model::SampleBlock& y, const model::SampleBlock& u, model::LossBlock& out) {
    out.value = (1 + (-y * u).exp()).log().col(0);
    out.gradient = -y / (1 + (y * u).exp());
  };
  Problem known = score(loss);
  const Problem custom = known;
  known.custom_loss = nullptr;
  known.readout = model::Readout::score;
  known.labels = model::Labels::sign;
  known.loss = model::Loss::logistic;
  const PointRule rule = SobolRule{12};
  const CustomChannel channel(custom, kQStar, rule);
  EXPECT_FALSE(channel.identifies_scale());
  expect_same(channel, *make_output_channel(known, kQStar, rule), 3e-3);
}

TEST(CustomChannel, OfAnAbsoluteValueHasProximalPointsAtItsKink) {
  // The proximal point is a soft threshold of ω − y at V: g = −sign where |ω − y| > V, else −(ω − y)/V.
  const CustomLoss absolute = samples::of_residuals(
      model::Coordinates::score, Gives::hessian, [](double r) { return std::abs(r); },
      [](double r) { return r > 0 ? 1.0 : -1.0; }, [](double) { return 0.0; });
  const Problem problem = score(absolute);
  const double E = kQStar - 2 * kOverlaps.m + kOverlaps.q + problem.noise, V = kOverlaps.V, s = std::sqrt(E);
  const double inside = std::erf(V / (s * std::numbers::sqrt2));
  const double density = std::exp(-0.5 * V * V / E) / std::sqrt(2 * std::numbers::pi);
  const double q_hat = (1 - inside) + E / (V * V) * (inside - 2 * V / s * density);
  const auto at = CustomChannel(problem, kQStar, SobolRule{13}).evaluate(kOverlaps, OutputChannel::kAll, nullptr);
  const double gain = 2 * problem.alpha;
  EXPECT_NEAR(at.conjugates.q_hat, gain * q_hat, 2e-3 * gain * q_hat);
  EXPECT_NEAR(at.conjugates.V_hat, gain * inside / V, 3e-3 * gain * inside / V);
  EXPECT_NEAR(at.conjugates.m_hat, gain * inside / V, 3e-3 * gain * inside / V);
}

TEST(CustomLoss, IsRefusedWhereItsDerivativesAreWrong) {
  Problem problem = softmax(2);
  EXPECT_NO_THROW(model::require_consistent(samples::with(problem, samples::huber(model::Coordinates::rows, 0.2))));
  const CustomLoss wrong = samples::of_residuals(
      model::Coordinates::row, Gives::gradient, [](double r) { return r * r; }, [](double r) { return 2.01 * r; },
      [](double) { return 2.0; });
  EXPECT_THROW(model::require_consistent(samples::with(problem, wrong)), std::invalid_argument);
  const CustomLoss rough = samples::of_residuals(
      model::Coordinates::row, Gives::values, [](double r) { return static_cast<double>(static_cast<float>(r * r)); },
      [](double r) { return 2 * r; }, [](double) { return 2.0; });
  EXPECT_THROW(model::require_consistent(samples::with(problem, rough)), std::invalid_argument);
}

TEST(CustomLoss, GoesWithThoseOfItsKindAlone) {
  Problem problem = samples::with(softmax(2), samples::square(model::Coordinates::row));
  EXPECT_NO_THROW(problem.validate());
  Problem linear = problem;
  linear.head = model::Head::linear;
  linear.beta = linear.target_beta = 1;
  EXPECT_THROW(linear.validate(), std::invalid_argument);
  Problem ridgeless = problem;
  ridgeless.lambda_rule = model::LambdaRule::ridgeless;
  EXPECT_THROW(ridgeless.validate(), std::invalid_argument);
  Problem general = problem;
  general.student = model::Student::direct_general;
  EXPECT_THROW(general.validate(), std::invalid_argument);
}

TEST(CustomLoss, ReproducesTheErrorsOfTheTables) {
  Problem known;
  known.alpha = 0.3;
  known.lambda = 0.05;
  const Solution expected = solve(known);
  const Solution custom = solve(samples::with(known, samples::square(model::Coordinates::rows)));
  ASSERT_TRUE(custom.diagnostics.converged) << custom.diagnostics.message;
  EXPECT_EQ(custom.diagnostics.message, "");
  constexpr double kAccuracy = 1e-3;
  EXPECT_NEAR(custom.errors.train, expected.errors.train, 2 * kAccuracy * expected.errors.train);
  EXPECT_NEAR(custom.errors.test, expected.errors.test, 2 * kAccuracy * expected.errors.test);
  EXPECT_NEAR(custom.errors.estimation, expected.errors.estimation, 2 * kAccuracy * expected.errors.estimation);
  EXPECT_NEAR(custom.diagnostics.replicon, expected.diagnostics.replicon, 0.02 * expected.diagnostics.replicon);
}

TEST(CustomLoss, WhatItsFunctionThrowsComesOut) {
  CustomLoss loss = samples::square(model::Coordinates::row);
  loss.function = [](const model::SampleBlock&, const model::SampleBlock&, model::LossBlock&) {
    throw std::domain_error("mine");
  };
  EXPECT_THROW(solve(samples::with(softmax(2), loss)), std::domain_error);
}

TEST(CustomLoss, IsRefusedANameThatAnotherHas) {
  const auto of_the_name = [](const char* name) {
    CustomLoss loss = samples::square(model::Coordinates::rows);
    loss.name = name;
    return std::make_shared<const CustomLoss>(loss);
  };
  auto first = of_the_name("custom:taken");
  model::publish(first);
  model::publish(first);
  EXPECT_THROW(
      {
        try {
          model::publish(of_the_name("custom:taken"));
        } catch (const std::invalid_argument& error) {
          EXPECT_THAT(error.what(), testing::HasSubstr("a loss of the name custom:taken is there already"));
          throw;
        }
      },
      std::invalid_argument);
  EXPECT_EQ(model::published_loss("custom:taken"), first);
  first.reset();
  EXPECT_NO_THROW(model::publish(of_the_name("custom:taken")));
}

const Conjugates kConjugates{0.7, 1.3, 2.1};

Problem penalised(std::shared_ptr<const CustomPenalty> penalty, double lambda) {
  Problem problem;
  problem.lambda = lambda;
  problem.custom_penalty = std::move(penalty);
  return problem;
}

void expect_same(const SpectralDenoiser& custom, const SpectralDenoiser& known, const matrix_laws::Spectrum& target,
                 double tolerance) {
  const auto a = custom.evaluate(target, kConjugates), b = known.evaluate(target, kConjugates);
  EXPECT_NEAR(a.overlaps.q, b.overlaps.q, tolerance);
  EXPECT_NEAR(a.overlaps.m, b.overlaps.m, tolerance);
  EXPECT_NEAR(a.overlaps.V, b.overlaps.V, tolerance);
  EXPECT_NEAR(a.penalty, b.penalty, tolerance);
  EXPECT_LT(a.law_error, 1e-7);
  const matrix_laws::Law law = noisy_target(target, kConjugates);
  EXPECT_NEAR(custom.squared_response(law, kConjugates).symmetric, known.squared_response(law, kConjugates).symmetric,
              1e-3);
}

TEST(CustomDenoiser, OfATraceIsASoftThreshold) {
  const matrix_laws::Spectrum target = matrix_laws::WishartSpectrum{0.5, 1};
  for (const bool slopes : {true, false}) {
    const CustomDenoiser custom(penalised(samples::elastic(1, 0, slopes), 0.2), 0.2);
    expect_same(custom, ThresholdDenoiser(0.4), target, slopes ? 1e-10 : 1e-7);
    EXPECT_NEAR(custom.evaluate(target, kConjugates).zero_mass,
                ThresholdDenoiser(0.4).evaluate(target, kConjugates).zero_mass, 1e-6);
  }
}

TEST(CustomDenoiser, OfASquareIsLinear) {
  Problem problem = penalised(samples::elastic(0, 1), 0.2);
  problem.student = model::Student::direct;
  expect_same(CustomDenoiser(problem, 0.2), LinearDenoiser(0.8), matrix_laws::WishartSpectrum{0.5, 1}, 1e-9);
}

TEST(CustomDenoiser, ActsOnSingularValuesWithCrossAttention) {
  Problem problem = samples::crossed(penalised(samples::elastic(1, 0), 0.2), 2, 2);
  expect_same(CustomDenoiser(problem, 0.2), ThresholdDenoiser(0.2, 1, Symmetry::general), problem.target_law(), 1e-9);
}

TEST(SpectralPenalty, HasTheSolutionsOfItsFunctions) {
  // T = 2, α = 0.3, κ* = 0.5: a state evolution that was written separately in Python and averages over random points,
  // which leave some parts in a thousand.
  struct Row {
    const char* penalty;
    double lambda, q, E, train, test, zero_mass, replicon;
  };
  for (const Row& row : {Row{"elastic:0.05", 0.03, 0.2768, 0.5791, 0.04740, 0.1101, 0.4206, 0.229},
                         Row{"schatten:1.5", 0.03, 0.5406, 0.3110, 0.01511, 0.0556, 0.308, 0.364},
                         Row{"logdet:1", 0.05, 0.9322, 0.1491, 0.00686, 0.0355, 0.615, 0.542}}) {
    Problem problem = penalised(model::spectral_penalty(row.penalty), row.lambda);
    problem.alpha = 0.3;
    const Solution solution = solve(problem);
    EXPECT_TRUE(solution.diagnostics.converged) << row.penalty;
    EXPECT_NEAR(solution.overlaps.q, row.q, 5e-3 * row.q) << row.penalty;
    EXPECT_NEAR(solution.errors.estimation, row.E, 5e-3 * row.E) << row.penalty;
    EXPECT_NEAR(solution.errors.train, row.train, 6e-3 * row.train) << row.penalty;
    EXPECT_NEAR(solution.errors.test, row.test, 8e-3 * row.test) << row.penalty;
    EXPECT_NEAR(solution.spectrum.zero_mass, row.zero_mass, 8e-3 * row.zero_mass) << row.penalty;
    EXPECT_NEAR(solution.diagnostics.replicon, row.replicon, 1e-2 * row.replicon) << row.penalty;
  }
}

TEST(SpectralPenalty, TraceAndFrobeniusAreThoseOfTheStudents) {
  const auto same = [](const Problem& own, const Problem& students) {
    const Solution a = solve(own), b = solve(students);
    EXPECT_NEAR(a.overlaps.q, b.overlaps.q, 1e-8);
    EXPECT_NEAR(a.errors.objective, b.errors.objective, 1e-8);
    EXPECT_NEAR(a.diagnostics.replicon, b.diagnostics.replicon, 1e-4);
  };
  same(penalised(model::spectral_penalty("trace"), 0.05), penalised(nullptr, 0.05));
  Problem direct = penalised(nullptr, 0.05);
  direct.student = model::Student::direct;
  Problem frobenius = direct;
  frobenius.custom_penalty = model::spectral_penalty("frobenius");
  same(frobenius, direct);
  frobenius.custom_penalty = model::spectral_penalty("schatten:2");
  same(frobenius, direct);
}

TEST(SpectralPenalty, OfTheElasticTraceKeepsItsRidgeAtAnyLambda) {
  // λ Tr S + μ Tr S² is a trace of λ p with p = s + (μ/λ) s².
  const matrix_laws::Spectrum target = matrix_laws::WishartSpectrum{0.5, 1};
  const auto elastic = model::spectral_penalty("elastic:0.3");
  for (const double lambda : {0.05, 0.2, 1.0}) {
    const CustomDenoiser denoiser(penalised(elastic, lambda), lambda);
    const auto found = denoiser.evaluate(target, kConjugates);
    const CustomDenoiser other(penalised(samples::elastic(1, 0.3 / lambda), lambda), lambda);
    const auto expected = other.evaluate(target, kConjugates);
    EXPECT_NEAR(found.overlaps.q, expected.overlaps.q, 1e-12);
    EXPECT_NEAR(found.penalty, expected.penalty, 1e-12);
  }
}

TEST(SpectralPenalty, GoesThroughDocuments) {
  const nlohmann::json document{{"alpha", 0.3}, {"lambda", 0.05}, {"penalty", "logdet:0.5"}};
  const Problem problem = model::problem_from_json(document);
  EXPECT_EQ(problem.custom_penalty->name, "logdet:0.5");
  EXPECT_EQ(to_json(problem).at("penalty"), "logdet:0.5");
  EXPECT_EQ(to_json(problem).at("loss"), "square");
  EXPECT_FALSE(to_json(model::problem_from_json({{"alpha", 0.3}, {"lambda", 0.05}})).contains("penalty"));
  const auto rejects = [](nlohmann::json options, const char* message) {
    options["alpha"] = 0.3;
    EXPECT_THAT([&] { model::problem_from_json(options); },
                testing::ThrowsMessage<std::invalid_argument>(testing::HasSubstr(message)));
  };
  rejects({{"lambda", 0.1}, {"penalty", "ridge"}}, "trace, elastic:MU, frobenius, schatten:P or logdet:EPS");
  rejects({{"lambda", 0.1}, {"penalty", "schatten:-1"}}, "needs a number > 0 behind the colon, got \"-1\"");
  rejects({{"lambda", 0.1}, {"penalty", "elastic:"}}, "got \"\"");
  rejects({{"lambda", "0+"}, {"penalty", "trace"}}, "lambda must be a number > 0 with penalty trace, got 0+");
  rejects({{"lambda", 0.1}, {"penalty", "trace"}, {"width", 0.5}}, "width must be 1 with penalty trace, got 0.5");
}

TEST(ScalarProximal, FindsTheGlobalMinimumOfAPenaltyThatIsNotConvex) {
  CustomPenalty penalty;  // bounded: eigenvalues far beyond 1 go unpunished
  penalty.function = [](const std::vector<double>& s, std::vector<double>& values, std::vector<double>&) {
    for (const double each : s) values.push_back(each * each / (0.1 + each * each));
  };
  const model::ScalarProximal map(std::make_shared<const CustomPenalty>(penalty), 0.8, 1.5, false);
  std::vector<double> x;
  for (int i = 0; i <= 60; ++i) x.push_back(0.05 * i);
  const std::vector<double> s = map(x);
  for (std::size_t i = 0; i < x.size(); ++i) {
    const auto objective = [&](double at) {
      return 0.8 * at * at / (0.1 + at * at) + 0.75 * (at - x[i]) * (at - x[i]);
    };
    double least = objective(0);
    for (int k = 0; k <= 40000; ++k) least = std::min(least, objective(k * 1e-4));
    EXPECT_LE(objective(s[i]), least + 1e-8) << x[i];
  }
}

/// The trained law of a penalty at given conjugates.
TrainedLaw trained_law(const Problem& problem) {
  Solution solution;
  solution.problem = problem;
  solution.conjugates = kConjugates;
  return {solution, problem.target_law()};
}

/// ∫ of a curve by the trapezoidal rule.
double mass_of(const TrainedLaw::Curve& curve) {
  double mass = 0;
  for (std::size_t i = 1; i < curve.s.size(); ++i)
    mass += 0.5 * (curve.density[i] + curve.density[i - 1]) * (curve.s[i] - curve.s[i - 1]);
  return mass;
}

/// c for s ≠ 0, so that f(x) = x/V̂ where it is not 0: above x = √(4 c λ V̂).
std::shared_ptr<const CustomPenalty> rank_penalty(double c) {
  CustomPenalty penalty;
  penalty.function = [c](const std::vector<double>& s, std::vector<double>& values, std::vector<double>& slopes) {
    for (const double each : s) values.push_back(each != 0 ? c : 0);
    slopes.assign(s.size(), 0.0);
  };
  return std::make_shared<const CustomPenalty>(penalty);
}

TEST(CustomDenoiser, OfARankHasAGapInItsLaw) {
  const double lambda = 0.4, V_hat = kConjugates.V_hat, jump = std::sqrt(4 * lambda * V_hat), first = jump / V_hat;
  const Problem problem = penalised(rank_penalty(1), lambda);
  const matrix_laws::Law law = noisy_target(problem.target_law(), kConjugates);
  ASSERT_GT(law.density(jump), 0);
  const CustomDenoiser denoiser(problem, lambda);
  const Denoiser::Result result = denoiser.evaluate(problem.target_law(), kConjugates);
  EXPECT_NEAR(result.zero_mass, law.cdf(jump), 1e-4);
  EXPECT_LT(result.law_error, 1e-4);
  // The response jumps inside a band.
  EXPECT_TRUE(std::isinf(denoiser.squared_response(law, kConjugates).symmetric));

  const TrainedLaw trained = trained_law(problem);
  for (const double s : {0.0, 0.3 * first, 0.99 * first}) EXPECT_NEAR(trained.cdf(s), law.cdf(jump), 1e-4) << s;
  for (const double s : {1.01 * first, 1.3 * first, 2 * first})
    EXPECT_NEAR(trained.cdf(s), law.cdf(V_hat * s), 1e-9) << s;
  const TrainedLaw::Curve curve = trained.density();
  EXPECT_NEAR(curve.s.front(), first, 1e-4);
  EXPECT_NEAR(mass_of(curve), 1 - law.cdf(jump), 1e-3);
  for (std::size_t i = 0; i < curve.s.size(); ++i)
    if (curve.density[i] > 0) {
      EXPECT_NEAR(curve.density[i], V_hat * law.density(V_hat * curve.s[i]), 1e-3);
    }
}

TEST(CustomDenoiser, JumpsBetweenTwoMinimaAreGapsOnBothSides) {
  // Free near 0 and near 1: eigenvalues between the wells are never the best.
  CustomPenalty wells;
  wells.function = [](const std::vector<double>& s, std::vector<double>& values, std::vector<double>&) {
    for (const double each : s) values.push_back(std::pow(std::sin(std::numbers::pi * std::min(each, 1.0)), 2));
  };
  wells.kinks = {1};
  const Problem problem = penalised(std::make_shared<const CustomPenalty>(wells), 0.6);
  const matrix_laws::Law law = noisy_target(problem.target_law(), kConjugates);
  const SpectralFunction f = CustomDenoiser(problem, 0.6).function(law, kConjugates);
  const std::vector<double> jumps = f.bent->jumps();
  ASSERT_EQ(jumps.size(), 1u);
  const std::vector<double> sides = f.above({jumps[0] - 1e-6, jumps[0] + 1e-6});
  ASSERT_GT(sides[1] - sides[0], 0.3);
  const TrainedLaw trained = trained_law(problem);
  const double inside = 0.5 * (sides[0] + sides[1]);
  EXPECT_NEAR(trained.cdf(inside), law.cdf(jumps[0]), 1e-9);
  const TrainedLaw::Curve curve = trained.density();
  EXPECT_NEAR(mass_of(curve), 1 - trained.cdf(0), 5e-3);
  for (std::size_t i = 0; i < curve.s.size(); ++i)
    if (curve.s[i] > sides[0] + 1e-3 && curve.s[i] < sides[1] - 1e-3) {
      EXPECT_EQ(curve.density[i], 0) << curve.s[i];
    }
}

TEST(CustomDenoiser, OfAKinkHasAnAtomThere) {
  // |s − 1| without slopes: x from V̂ − 2λ to V̂ + 2λ are taken to s = 1.
  CustomPenalty penalty;
  penalty.function = [](const std::vector<double>& s, std::vector<double>& values, std::vector<double>&) {
    for (const double each : s) values.push_back(std::abs(each - 1));
  };
  penalty.kinks = {1};
  const double lambda = 0.3, V_hat = kConjugates.V_hat;
  const Problem problem = penalised(std::make_shared<const CustomPenalty>(penalty), lambda);
  const matrix_laws::Law law = noisy_target(problem.target_law(), kConjugates);
  const TrainedLaw trained = trained_law(problem);
  EXPECT_NEAR(trained.cdf(1 + 1e-3), law.cdf(V_hat + 2 * lambda + 1e-3 * V_hat), 1e-6);
  EXPECT_NEAR(trained.cdf(1 - 1e-3), law.cdf(V_hat - 2 * lambda - 1e-3 * V_hat), 1e-6);
  const double atom = law.cdf(V_hat + 2 * lambda) - law.cdf(V_hat - 2 * lambda);
  ASSERT_GT(atom, 0.02);
  EXPECT_NEAR(mass_of(trained.density()), 1 - trained.cdf(0) - atom, 0.1 * atom);
}

TEST(CustomDenoiser, KeepsNegativeEigenvaluesOfADirectStudentBesideTheGap) {
  Problem problem = penalised(rank_penalty(1), 0.02);
  problem.student = model::Student::direct;
  problem.head = model::Head::linear;
  problem.noise = 0.5;
  problem.alpha = 0.6;
  const Solution solution = solve(problem);
  ASSERT_TRUE(solution.diagnostics.converged) << solution.diagnostics.message;
  EXPECT_TRUE(std::isinf(solution.diagnostics.replicon));
  const double gap = std::sqrt(4 * problem.lambda / solution.conjugates.V_hat);
  constexpr double kTable = 5e-5;  // the square of its spacing
  ASSERT_EQ(solution.spectrum.edges.size(), 2u);
  EXPECT_NEAR(solution.spectrum.edges[0].upper, -gap, kTable);
  EXPECT_NEAR(solution.spectrum.edges[1].lower, gap, kTable);
  const TrainedLaw trained(solution, problem.target_law());
  EXPECT_NEAR(trained.cdf(0.5 * gap) - trained.cdf(-0.5 * gap), solution.spectrum.zero_mass, 1e-5);
  EXPECT_NEAR(mass_of(trained.density()), 1 - solution.spectrum.zero_mass, 2e-3);
}

TEST(CustomDenoiser, OfALogarithmHasNoSpikeBesideItsAtom) {
  CustomPenalty penalty;
  penalty.function = [](const std::vector<double>& s, std::vector<double>& values, std::vector<double>& slopes) {
    for (const double each : s) {
      values.push_back(std::log1p(2 * std::abs(each)));
      slopes.push_back(std::copysign(2 / (1 + 2 * std::abs(each)), each));
    }
  };
  Problem problem = penalised(std::make_shared<const CustomPenalty>(penalty), 0.2);
  for (const auto student : {model::Student::tied, model::Student::direct}) {
    problem.student = student;
    const CustomDenoiser denoiser(problem, problem.lambda);
    const double atom = denoiser.evaluate(problem.target_law(), kConjugates).zero_mass;
    ASSERT_GT(atom, 0.1);
    EXPECT_NEAR(mass_of(trained_law(problem).density()), 1 - atom, 2e-3);
  }
}

TEST(CustomPenalty, ReproducesTheErrorsOfTheTables) {
  Problem known;
  known.alpha = 0.3;
  known.lambda = 0.05;
  const Solution expected = solve(known);
  Problem custom = known;
  custom.custom_penalty = samples::elastic(1, 0);
  const Solution found = solve(custom);
  ASSERT_TRUE(found.diagnostics.converged) << found.diagnostics.message;
  EXPECT_NEAR(found.errors.train, expected.errors.train, 1e-6);
  EXPECT_NEAR(found.errors.estimation, expected.errors.estimation, 1e-6);
  EXPECT_NEAR(found.errors.objective, expected.errors.objective, 1e-6);
  EXPECT_NEAR(found.diagnostics.replicon, expected.diagnostics.replicon, 1e-2);
  ASSERT_EQ(found.spectrum.edges.size(), expected.spectrum.edges.size());
  EXPECT_NEAR(found.spectrum.edges.back().upper, expected.spectrum.edges.back().upper, 1e-5);
  const auto target = known.target_law();
  for (const double s : {0.0, 0.5, 1.0})
    EXPECT_NEAR(TrainedLaw(found, target).cdf(s), TrainedLaw(expected, target).cdf(s), 1e-4);
}

TEST(ScalarProximal, RefusesAPenaltyWithoutALeastObjective) {
  const auto powers = [](double scale, int power) {
    CustomPenalty penalty;
    penalty.function = [=](const std::vector<double>& s, std::vector<double>& values, std::vector<double>&) {
      for (const double each : s) values.push_back(scale * std::pow(each, power));
    };
    return std::make_shared<const CustomPenalty>(penalty);
  };
  for (const bool negative : {false, true})
    EXPECT_THAT([&] { model::ScalarProximal(powers(-1, 4), 0.1, 1, negative).table_up_to(2); },
                testing::ThrowsMessage<std::invalid_argument>(testing::HasSubstr("must be bounded below")));
  EXPECT_THROW(solve(penalised(powers(-1, 4), 0.05)), std::invalid_argument);
  // A line falls for ever, and slower than the square grows: its minimum is far beyond x.
  const model::ScalarProximal line(powers(-1, 1), 9, 1, false);
  EXPECT_NEAR(line({0.5}).front(), 9.5, 1e-6);
}

/// The elastic trace by its proximal map: first·s + second·s² where s ≥ 0.
CustomPenalty elastic_denoiser(double first, double second) {
  return model::penalty_of(
      [=](const std::vector<double>& x, double t) {
        std::vector<double> s;
        for (const double each : x) s.push_back(std::max(each - first * t, 0.0) / (1 + 2 * second * t));
        return s;
      },
      {});
}

TEST(ProximalMap, OfTheElasticTraceIsItsPenalty) {
  const CustomPenalty penalty = elastic_denoiser(1, 0.5);
  EXPECT_NO_THROW(model::require_proximal(penalty.proximal));
  const std::vector<double> s{0, 0.01, 0.7, 2.5, 0.3};
  const std::vector<double> p = model::values_of(penalty, s);
  for (std::size_t i = 0; i < s.size(); ++i) EXPECT_NEAR(p[i], s[i] + 0.5 * s[i] * s[i], 1e-9) << s[i];
  const auto shared = std::make_shared<const CustomPenalty>(penalty);
  const model::ScalarProximal map(shared, 0.4, 2, false);
  EXPECT_NEAR(map.origin(0, 1), 0.2, 1e-12);
  EXPECT_NEAR(map.origin(0.5, 1), 0.5 + 0.2 * 1.5, 1e-12);
  EXPECT_EQ(map.origin(0, -1), -std::numeric_limits<double>::infinity());
}

TEST(ProximalMap, GivesTheChannelOfItsPenalty) {
  const matrix_laws::Spectrum target = matrix_laws::WishartSpectrum{0.5, 1};
  const auto given = std::make_shared<const CustomPenalty>(elastic_denoiser(1, 0.5));
  const CustomDenoiser denoiser(penalised(given, 0.2), 0.2);
  const CustomDenoiser penalty(penalised(samples::elastic(1, 0.5), 0.2), 0.2);
  expect_same(denoiser, penalty, target, 1e-8);
  EXPECT_NEAR(denoiser.evaluate(target, kConjugates).zero_mass, penalty.evaluate(target, kConjugates).zero_mass, 1e-6);
}

TEST(ProximalMap, TakesItsRidgeAlong) {
  // s by its map and 0.3 s² as a ridge are s + 0.3 s²/λ, by its map as well, at any λ.
  CustomPenalty ridge = elastic_denoiser(1, 0);
  ridge.ridge = 0.3;
  const auto given = std::make_shared<const CustomPenalty>(ridge);
  for (const double lambda : {0.05, 0.4}) {
    const auto at = model::penalty_at(lambda, given);
    EXPECT_EQ(at->ridge, 0);
    EXPECT_NO_THROW(model::require_proximal(at->proximal));
    const CustomPenalty expected = elastic_denoiser(1, 0.3 / lambda);
    const std::vector<double> x{-0.2, 0.1, 0.7, 2.5};
    for (const double t : {0.02, 1.5}) {
      const std::vector<double> s = at->proximal(x, t), other = expected.proximal(x, t);
      for (std::size_t i = 0; i < x.size(); ++i) EXPECT_NEAR(s[i], other[i], 1e-15) << x[i];
    }
    EXPECT_NEAR(model::values_of(*at, {0.7}).front(), 0.7 + 0.3 / lambda * 0.49, 1e-9);
    expect_same(CustomDenoiser(penalised(given, lambda), lambda),
                CustomDenoiser(penalised(samples::elastic(1, 0.3 / lambda), lambda), lambda),
                matrix_laws::WishartSpectrum{0.5, 1}, 1e-8);
  }
}

TEST(ProximalMap, SaysOnWhichSideOfAnEigenvalueAllItsImagesAre) {
  const auto between = [](double lower, double upper) {
    return [=](const std::vector<double>& x, double) {
      std::vector<double> s;
      for (const double each : x) s.push_back(std::clamp(each, lower, upper));
      return s;
    };
  };
  const auto refused = [&](double s, const char* message) {
    for (const int side : {-1, 1})
      EXPECT_THAT([&] { model::origins(between(-2, 1), 0.1, {s}, side); },
                  testing::ThrowsMessage<std::invalid_argument>(testing::HasSubstr(message)))
          << side;
  };
  refused(1.5, "takes no number to the eigenvalue 1.5, nor over it");
  refused(-3, "takes no number to the eigenvalue -3, nor below it");
  const auto origin = [&](double s, int side) { return model::origins(between(-2, 1), 0.1, {s}, side).front(); };
  EXPECT_NEAR(origin(0.5, 1), 0.5, 1e-12);
  EXPECT_EQ(origin(1, 1), std::numeric_limits<double>::infinity());
  EXPECT_NEAR(origin(1, -1), 1, 1e-12);
  EXPECT_EQ(origin(-2, -1), -std::numeric_limits<double>::infinity());
}

TEST(ProximalMap, OfATraceHasTheSolutionOfTheTables) {
  Problem known;
  known.alpha = 0.3;
  known.lambda = 0.05;
  Problem custom = known;
  custom.custom_penalty = std::make_shared<const CustomPenalty>(elastic_denoiser(1, 0));
  const Solution expected = solve(known), found = solve(custom);
  ASSERT_TRUE(found.diagnostics.converged) << found.diagnostics.message;
  EXPECT_NEAR(found.errors.train, expected.errors.train, 1e-6);
  EXPECT_NEAR(found.errors.estimation, expected.errors.estimation, 1e-6);
  EXPECT_NEAR(found.errors.objective, expected.errors.objective, 1e-6);
  EXPECT_NEAR(found.diagnostics.replicon, expected.diagnostics.replicon, 1e-2);
  EXPECT_NEAR(found.spectrum.zero_mass, expected.spectrum.zero_mass, 1e-5);
}

TEST(ProximalMap, ThatJumpsIsThatOfARank) {
  // s = x where x² > 2t, else 0: the penalty is 1 for s > 0, and its chord where no s is at a time.
  const auto rank = [](const std::vector<double>& x, double t) {
    std::vector<double> s;
    for (const double each : x) s.push_back(each * each > 2 * t ? each : 0);
    return s;
  };
  EXPECT_NO_THROW(model::require_proximal(rank));
  const auto given = std::make_shared<const CustomPenalty>(model::penalty_of(rank, {}));
  const model::ScalarProximal map(given, 0.4, 2, false);
  const auto jumps = map.jumps(map.table_up_to(3));
  ASSERT_EQ(jumps.size(), 1u);
  EXPECT_NEAR(jumps[0].x, std::sqrt(0.4), 1e-9);
  EXPECT_EQ(jumps[0].below, 0);
  EXPECT_NEAR(jumps[0].above, std::sqrt(0.4), 1e-9);
  EXPECT_NEAR(model::values_of(*given, {2.0}).front(), 1, 2e-3);
  const matrix_laws::Law law = noisy_target(matrix_laws::WishartSpectrum{0.5, 1}, kConjugates);
  const CustomDenoiser denoiser(penalised(given, 0.4), 0.4), penalty(penalised(rank_penalty(1), 0.4), 0.4);
  const auto a = denoiser.evaluate(matrix_laws::WishartSpectrum{0.5, 1}, kConjugates),
             b = penalty.evaluate(matrix_laws::WishartSpectrum{0.5, 1}, kConjugates);
  EXPECT_NEAR(a.overlaps.q, b.overlaps.q, 1e-5);
  EXPECT_NEAR(a.zero_mass, b.zero_mass, 1e-4);
  EXPECT_TRUE(std::isinf(denoiser.squared_response(law, kConjugates).symmetric));
}

TEST(ProximalMap, OfNoPenaltyIsRefused) {
  const auto refused = [](auto map, const char* message) {
    const auto many = [map](const std::vector<double>& x, double t) {
      std::vector<double> s;
      for (const double each : x) s.push_back(map(each, t));
      return s;
    };
    EXPECT_THAT([&] { model::require_proximal(many); },
                testing::ThrowsMessage<std::invalid_argument>(testing::HasSubstr(message)));
    Problem problem = penalised(std::make_shared<const CustomPenalty>(model::penalty_of(many, {})), 0.05);
    EXPECT_THROW(solve(problem), std::invalid_argument);
  };
  refused([](double x, double) { return -x; }, "a denoiser that falls");
  refused([](double x, double t) { return std::max(x - t * t, 0.0); }, "the proximal map of no penalty");
  refused([](double x, double) { return x / 2; }, "the proximal map of no penalty");
  refused([](double x, double t) { return std::log(x) + t; }, "must be finite");
}

TEST(Evidence, OfPenaltiesFollowsTheirConvexity) {
  const auto of = [](const char* penalty, model::Head head) {
    model::Problem problem;
    problem.head = head;
    problem.custom_penalty = model::spectral_penalty(penalty);
    return evidence(problem);
  };
  for (const char* convex : {"trace", "elastic:0.1", "frobenius", "schatten:1.5"}) {
    EXPECT_EQ(of(convex, model::Head::linear), base::Evidence::derived) << convex;
    EXPECT_EQ(of(convex, model::Head::softmax), base::Evidence::heuristic) << "the loss is not convex";
  }
  for (const char* other : {"schatten:0.5", "logdet:0.1"})
    EXPECT_EQ(of(other, model::Head::linear), base::Evidence::heuristic) << other;
}

}  // namespace
}  // namespace attnlaw::theory
