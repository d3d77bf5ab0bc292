/// The prior channel against closed forms, direct sums and a sampled matrix.

#include "attnlaw/theory/prior/denoiser.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <span>
#include <stdexcept>
#include <vector>

#include "attnlaw/base/linear_algebra.h"
#include "attnlaw/base/random.h"
#include "attnlaw/matrix_laws/semicircle_sum.h"

namespace attnlaw::theory {
namespace {

using matrix_laws::DiscreteSpectrum;
using matrix_laws::Law;
using matrix_laws::Spectrum;
using matrix_laws::WishartSpectrum;

Denoiser::Result evaluate(double lambda, const Spectrum& target, const Conjugates& conjugates) {
  return ThresholdDenoiser(2 * lambda).evaluate(target, conjugates);
}

/// A Wishart law, a few atoms, and 300 eigenvalues with a bulk and a tail.
std::vector<Spectrum> targets() {
  std::vector<double> eigenvalues;
  for (int i = 0; i < 300; ++i) eigenvalues.push_back(i < 40 ? 6 / std::sqrt(i + 1.0) : 0.002 * i);
  return {WishartSpectrum{0.5, 1}, DiscreteSpectrum{{0, 1, 3}, {0.6, 0.3, 0.1}},
          Spectrum::from_eigenvalues(eigenvalues)};
}

const Conjugates kConjugates{0.7, 1.3, 2.1};

TEST(Denoiser, PureNoiseIsAClippedSemicircle) {
  // Moments of the semicircle of variance a² above t = 2a cos θ: M₀ = (θ − sin θ cos θ)/π, M₁ = 4a sin³θ/(3π),
  // M₂ = a²(θ − sin(4θ)/4)/π; V = ∫ f(x) 2ρ Re g with Re g = x/(2a²).
  const Spectrum zero = DiscreteSpectrum{{0}, {1}};
  const double a = std::sqrt(kConjugates.q_hat), V_hat = kConjugates.V_hat;
  for (const double lambda : {0.0, 0.1, 0.5}) {
    const double t = 2 * lambda, theta = std::acos(t / (2 * a));
    const double mass = (theta - std::sin(theta) * std::cos(theta)) / std::numbers::pi;
    const double first = 4 * a * std::pow(std::sin(theta), 3) / (3 * std::numbers::pi);
    const double second = a * a * (theta - std::sin(4 * theta) / 4) / std::numbers::pi;
    const auto result = evaluate(lambda, zero, kConjugates);
    EXPECT_NEAR(result.overlaps.q, (second - 2 * t * first + t * t * mass) / (V_hat * V_hat), 1e-12);
    EXPECT_NEAR(result.overlaps.V, (second - t * first) / (a * a * V_hat), 1e-12);
    EXPECT_NEAR(result.penalty, (first - t * mass) / V_hat, 1e-12);
    EXPECT_NEAR(result.zero_mass, 1 - mass, 1e-12);
    EXPECT_EQ(result.overlaps.m, 0);
  }
  const auto half = evaluate(0, zero, kConjugates);
  EXPECT_NEAR(half.overlaps.q, kConjugates.q_hat / (2 * V_hat * V_hat), 1e-13);
  EXPECT_NEAR(half.overlaps.V, 1 / (2 * V_hat), 1e-13);
}

TEST(Denoiser, IsLinearWhereThePenaltyVanishesAndMIsPositive) {
  const Conjugates conjugates{1e-3, 1.3, 2.1};
  for (const Spectrum& target :
       {Spectrum(WishartSpectrum{2, 1}), Spectrum(DiscreteSpectrum{{1, 2, 4}, {.5, .3, .2}})}) {
    ASSERT_GT(noisy_target(target, conjugates).hull().lower, 0);
    const auto result = evaluate(0, target, conjugates);
    const auto [q_hat, m_hat, V_hat, q_hat_a, V_hat_a] = conjugates;
    EXPECT_NEAR(result.overlaps.q, (m_hat * m_hat * target.second_moment() + q_hat) / (V_hat * V_hat), 1e-10);
    EXPECT_NEAR(result.overlaps.m, m_hat * target.second_moment() / V_hat, 1e-9);
    EXPECT_NEAR(result.overlaps.V, 1 / V_hat, 1e-9);
    EXPECT_NEAR(result.penalty, m_hat * target.mean() / V_hat, 1e-10);
    EXPECT_NEAR(result.zero_mass, 0, 1e-12);
  }
}

TEST(Denoiser, ResponseIsTheMeanDividedDifference) {
  // ∬ (f(x)−f(y))/(x−y) ρρ with f′ on the diagonal, on the product of a one-dimensional rule.
  constexpr double kTolerance = 2e-5;  // of the product rule at the corner where the divided difference jumps
  for (const Spectrum& target : targets()) {
    const double t = 0.4;
    const double breakpoints[] = {t};
    const auto nodes = noisy_target(target, kConjugates).quadrature(breakpoints).nodes;
    const auto f = [t](double x) { return std::max(0.0, x - t); };
    double sum = 0;
    for (const auto& a : nodes)
      for (const auto& b : nodes)
        sum += a.weight * b.weight * (a.x == b.x ? (a.x > t ? 1.0 : 0.0) : (f(a.x) - f(b.x)) / (a.x - b.x));
    EXPECT_NEAR(evaluate(0.2, target, kConjugates).overlaps.V, sum / kConjugates.V_hat, kTolerance);
  }
}

TEST(Denoiser, SquaredResponseIsTheMeanSquaredDividedDifference) {
  constexpr double kTolerance = 1e-4;
  for (const Spectrum& target : targets()) {
    const ThresholdDenoiser denoiser(2 * 0.2);
    const double t = 0.4;
    const double breakpoints[] = {t};
    const Law law = noisy_target(target, kConjugates);
    const auto nodes = law.quadrature(breakpoints).nodes;
    const auto f = [t](double x) { return std::max(0.0, x - t); };
    double sum = 0;
    for (const auto& a : nodes)
      for (const auto& b : nodes) {
        const double slope = a.x == b.x ? (a.x > t ? 1.0 : 0.0) : (f(a.x) - f(b.x)) / (a.x - b.x);
        sum += a.weight * b.weight * slope * slope;
      }
    EXPECT_NEAR(denoiser.squared_response(law, kConjugates).symmetric, sum / (kConjugates.V_hat * kConjugates.V_hat),
                kTolerance);
  }
}

TEST(Denoiser, SquaredResponseOfALinearDenoiserIsItsSquaredSlope) {
  const Spectrum target = WishartSpectrum{2, 1};
  const Conjugates conjugates{1e-3, 1.3, 2.1};
  const Law law = noisy_target(target, conjugates);
  EXPECT_NEAR(ThresholdDenoiser(0).squared_response(law, conjugates).symmetric, 1 / (2.1 * 2.1), 1e-6);
  EXPECT_NEAR(LinearDenoiser(0).squared_response(law, conjugates).symmetric, 1 / (2.1 * 2.1), 1e-15);
}

TEST(Denoiser, ZeroMassIsTheDistributionAtTheThreshold) {
  for (const Spectrum& target : targets())
    for (const double lambda : {0.05, 0.5, 5.0})
      EXPECT_NEAR(evaluate(lambda, target, kConjugates).zero_mass, noisy_target(target, kConjugates).cdf(2 * lambda),
                  1e-11);
}

TEST(Denoiser, EverythingIsTrainedToZeroBeyondTheEdge) {
  for (const Spectrum& target : targets()) {
    const double edge = noisy_target(target, kConjugates).hull().upper;
    const auto result = evaluate(0.5001 * edge, target, kConjugates);
    EXPECT_EQ(result.overlaps.q, 0);
    EXPECT_EQ(result.overlaps.V, 0);
    EXPECT_EQ(result.zero_mass, 1);
  }
}

/// f(m̂ S* + √q̂ Z) of one drawn Z, S* diagonal: q = Tr f²/d, m = Tr f S*/d, share of zeros.
struct Sampled {
  double q = 0, m = 0, zero_mass = 0;
};

Sampled sample(const std::vector<double>& target, double lambda, const Conjugates& conjugates, std::uint64_t stream) {
  const std::size_t d = target.size();
  std::vector<double> normals(d * d), matrix(d * d);
  base::NormalStream(1, stream).fill(0, std::span<double>(normals));
  const double scale = std::sqrt(conjugates.q_hat / (2 * static_cast<double>(d)));
  for (std::size_t i = 0; i < d; ++i) {
    for (std::size_t j = 0; j < d; ++j) matrix[i * d + j] = scale * (normals[i * d + j] + normals[j * d + i]);
    matrix[i * d + i] += conjugates.m_hat * target[i];
  }
  const std::vector<double> eigenvalues = base::symmetric_eigensystem(matrix, d);
  Sampled result;
  for (std::size_t k = 0; k < d; ++k) {
    if (eigenvalues[k] <= 2 * lambda) {
      result.zero_mass += 1.0 / static_cast<double>(d);
      continue;
    }
    const double value = (eigenvalues[k] - 2 * lambda) / conjugates.V_hat;
    double along_target = 0;
    for (std::size_t i = 0; i < d; ++i) along_target += matrix[k * d + i] * matrix[k * d + i] * target[i];
    result.q += value * value / static_cast<double>(d);
    result.m += value * along_target / static_cast<double>(d);
  }
  return result;
}

TEST(Denoiser, OverlapsAreThoseOfASampledMatrix) {
  constexpr std::size_t kDimension = 300;
  constexpr int kSamples = 10;
  constexpr double kLambda = 0.2;
  std::vector<double> eigenvalues;
  for (std::size_t i = 0; i < kDimension; ++i) eigenvalues.push_back(i < 40 ? 6 / std::sqrt(double(i) + 1) : 0.0);
  base::use_one_blas_thread();
  Sampled mean, square;
  for (int k = 0; k < kSamples; ++k) {
    const Sampled one = sample(eigenvalues, kLambda, kConjugates, static_cast<std::uint64_t>(k));
    for (double Sampled::*member : {&Sampled::q, &Sampled::m, &Sampled::zero_mass}) {
      mean.*member += one.*member / kSamples;
      square.*member += one.*member * (one.*member) / kSamples;
    }
  }
  const auto theory = evaluate(kLambda, Spectrum::from_eigenvalues(eigenvalues), kConjugates);
  // A linear statistic of a GOE matrix fluctuates by O(1/d) and its mean is off by as much: the tolerance is in units
  // of the spread of single samples, not of their mean.
  const auto tolerance = [&](double Sampled::*member) {
    return 3 * std::sqrt(square.*member - mean.*member * (mean.*member));
  };
  EXPECT_NEAR(mean.q, theory.overlaps.q, tolerance(&Sampled::q));
  EXPECT_NEAR(mean.m, theory.overlaps.m, tolerance(&Sampled::m));
  EXPECT_NEAR(mean.zero_mass, theory.zero_mass, tolerance(&Sampled::zero_mass));
  EXPECT_LT(tolerance(&Sampled::m), 0.02 * theory.overlaps.m) << "or the test says little";
}

TEST(Denoiser, CloseToNoSignalTheOverlapIsContinuous) {
  const Spectrum target = WishartSpectrum{0.5, 1};
  const double without = evaluate(0.1, target, {0.7, 0, 2.1}).overlaps.m;
  EXPECT_NEAR(evaluate(0.1, target, {0.7, 1e-4, 2.1}).overlaps.m, without, 1e-3);
  EXPECT_NEAR(evaluate(0.1, target, {0.7, 1e-7, 2.1}).overlaps.m, without, 1e-5);
}

TEST(Denoiser, AWidthThatDoesNotBindIsNone) {
  for (const Spectrum& target : targets()) {
    const auto full = evaluate(0.2, target, kConjugates);
    for (const double width : {1 - full.zero_mass + 1e-6, 1.0, 3.0}) {
      const auto result = ThresholdDenoiser(0.4, width).evaluate(target, kConjugates);
      EXPECT_NEAR(result.overlaps.q, full.overlaps.q, 1e-12);
      EXPECT_NEAR(result.overlaps.V, full.overlaps.V, 1e-12);
    }
  }
}

TEST(Denoiser, AWidthKeepsTheLargestEigenvalues) {
  for (const Spectrum& target : targets())
    for (const double width : {0.01, 0.1, 0.3}) {
      const ThresholdDenoiser denoiser(2 * 0.05, width);
      const auto result = denoiser.evaluate(target, kConjugates);
      EXPECT_NEAR(result.zero_mass, 1 - width, 1e-10);
      // As the full student, on what is above the quantile.
      const Law law = noisy_target(target, kConjugates);
      const double cut = law.quantile(1 - width);
      EXPECT_NEAR(law.cdf(cut), 1 - width, 1e-10);
      double q = 0;
      const double breakpoints[] = {cut};
      for (const auto& node : law.quadrature(breakpoints).nodes)
        if (node.x > cut) q += node.weight * std::pow((node.x - 0.1) / kConjugates.V_hat, 2);
      EXPECT_NEAR(result.overlaps.q, q, 1e-12);
      EXPECT_TRUE(std::isinf(denoiser.squared_response(law, kConjugates).symmetric));
    }
}

/// (1/d²) Σ_ij ∂S_ij/∂M_ij of the best rank-κd student of M = m̂ S* + √q̂ Z, S* with half its eigenvalues at 2, by the
/// eigenvalues ν of one sample: Σ_{i≠j} (f_i − f_j)/(ν_i − ν_j) + Σ f′.
double sampled_response(std::size_t d, double width, double lambda, std::uint64_t instance) {
  std::vector<double> matrix(d * d), noise(d * d);
  base::NormalStream(7, instance).fill(0, std::span(noise));
  for (std::size_t i = 0; i < d; ++i)
    for (std::size_t j = 0; j < d; ++j)
      matrix[i * d + j] =
          std::sqrt(kConjugates.q_hat / (2.0 * static_cast<double>(d))) * (noise[i * d + j] + noise[j * d + i]);
  for (std::size_t i = 0; i < d / 2; ++i) matrix[i * d + i] += kConjugates.m_hat * 2;
  const std::vector<double> nu = base::symmetric_eigenvalues(std::span(matrix), d);
  const auto first = static_cast<std::size_t>(std::lround((1 - width) * static_cast<double>(d)));
  const auto f = [&](std::size_t i) { return i < first ? 0.0 : (nu[i] - 2 * lambda) / kConjugates.V_hat; };
  double V = 0;
  for (std::size_t i = 0; i < d; ++i)
    for (std::size_t j = 0; j < d; ++j)
      V += i == j ? (i < first ? 0 : 1 / kConjugates.V_hat) : (f(i) - f(j)) / (nu[i] - nu[j]);
  return V / static_cast<double>(d * d);
}

TEST(Denoiser, OfAWidthTheResponseIsTheLimitOfSampledMatrices) {
  constexpr double kWidth = 0.1, kLambda = 0.2;
  base::use_one_blas_thread();
  const double V =
      ThresholdDenoiser(2 * kLambda, kWidth).evaluate(DiscreteSpectrum{{0, 2}, {0.5, 0.5}}, kConjugates).overlaps.V;
  const auto difference = [&](std::size_t d, int samples) {
    double mean = 0;
    for (int k = 0; k < samples; ++k)
      mean += sampled_response(d, kWidth, kLambda, static_cast<std::uint64_t>(k)) / samples;
    return std::abs(mean / V - 1);
  };
  // The differences are of order 1/d.
  const double coarse = difference(80, 40), fine = difference(320, 10);
  EXPECT_LT(coarse, 10.0 / 80);
  EXPECT_LT(fine, 0.4 * coarse);
}

TEST(Denoiser, OfADirectStudentIsRidgeRegression) {
  const Conjugates conjugates{0.7, 1.3, 2.1, 0.2, 0.9};
  const double lambda = 0.3;
  const auto result = LinearDenoiser(4 * lambda).evaluate(WishartSpectrum{0.5, 1}, conjugates);
  const double Q_star = 1.5, V = 1 / (2.1 + 4 * lambda), V_a = 1 / (0.9 + 4 * lambda);
  EXPECT_DOUBLE_EQ(result.overlaps.m, 1.3 * Q_star * V);
  EXPECT_DOUBLE_EQ(result.overlaps.q, (1.3 * 1.3 * Q_star + 0.7) * V * V);
  EXPECT_DOUBLE_EQ(result.overlaps.q_a, 0.2 * V_a * V_a);
  EXPECT_DOUBLE_EQ(result.penalty, result.overlaps.q + result.overlaps.q_a);
}

TEST(Denoiser, NeedsNoise) { EXPECT_THROW(noisy_target(WishartSpectrum{0.5, 1}, {0, 1, 1}), std::invalid_argument); }

}  // namespace
}  // namespace attnlaw::theory
