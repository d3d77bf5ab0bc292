/// The optimal rotation-invariant denoiser: closed forms, identities, a sampled matrix.

#include "attnlaw/matrix_laws/optimal_denoiser.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <random>
#include <stdexcept>

#include "attnlaw/base/linear_algebra.h"
#include "attnlaw/base/random.h"
#include "attnlaw/matrix_laws/semicircle_sum.h"

namespace attnlaw::matrix_laws {
namespace {

using std::numbers::pi;

/// Gauss quadrature of the semicircle of variance s: its moments up to order 2·count − 1.
Spectrum semicircle_atoms(double s, int count) {
  DiscreteSpectrum spectrum;
  for (int i = count; i >= 1; --i) {
    const double angle = pi * i / (count + 1);
    spectrum.atoms.push_back(2 * std::sqrt(s) * std::cos(angle));
    spectrum.weights.push_back(2.0 / (count + 1) * std::pow(std::sin(angle), 2));
  }
  return spectrum;
}

Spectrum power_law(int count) {
  std::vector<double> eigenvalues;
  for (int i = 1; i <= count; ++i) eigenvalues.push_back(10 * std::pow(i, -1.25));
  return Spectrum::from_eigenvalues(eigenvalues);
}

std::vector<Spectrum> priors() {
  return {WishartSpectrum{0.05, 1},
          WishartSpectrum{0.5, 1},
          WishartSpectrum{1, 1},
          WishartSpectrum{3, 0.4},
          WishartSpectrum{0.2, -1.5},
          DiscreteSpectrum{{-2, 0.5, 3}, {0.3, 0.5, 0.2}},
          power_law(200)};
}

double variance_of(const Spectrum& prior) { return prior.second_moment() - prior.mean() * prior.mean(); }

TEST(OptimalDenoiser, OfASemicircleIsLinear) {
  const double s = 1.7;
  const Spectrum prior = semicircle_atoms(s, 80);
  for (const double v : {0.3, 1.0, 5.0, 1e4}) {
    const OptimalDenoiser denoiser(prior, v);
    EXPECT_NEAR(denoiser.mean_square_error(), s * v / (s + v), 1e-11 * s);
    EXPECT_NEAR(denoiser.response(), s / (s + v), 1e-11 * s / (s + v));
    EXPECT_NEAR(denoiser.mutual_information(), 0.25 * std::log1p(s / v), 1e-12);
    // Point by point, 80 atoms look like a continuum only at larger noise.
    if (v < 1) continue;
    for (const double x : {-1.9, -0.4, 0.0, 1.1, 1.99}) {
      const double scaled = x * std::sqrt(s + v);
      EXPECT_NEAR(denoiser(scaled), scaled * s / (s + v), 1e-10);
    }
  }
}

TEST(OptimalDenoiser, ReproducesTheValuesOfTheNotes) {
  // docs/theory/bayes_optimal.md, section 6: Wishart prior of κ = 1/2, v = 0.05, 0.3, 1.
  const Spectrum prior = WishartSpectrum{0.5, 1};
  EXPECT_NEAR(OptimalDenoiser(prior, 0.05).mean_square_error(), 0.03528, 5e-6);
  EXPECT_NEAR(OptimalDenoiser(prior, 0.3).mean_square_error(), 0.16889, 5e-6);
  EXPECT_NEAR(OptimalDenoiser(prior, 1).mean_square_error(), 0.39695, 5e-6);
}

TEST(OptimalDenoiser, ErrorIsPriorVarianceMinusThatOfTheEstimate) {
  // Nishimori: Tr(Ŝ S) = Tr Ŝ². Both forms of the error, at noise where neither cancels.
  for (const Spectrum& prior : priors())
    for (const double v : {0.01, 0.1, 1.0, 10.0}) {
      const OptimalDenoiser denoiser(prior, v);
      double explained = 0, cube = 0;
      for (const Law::Node& node : denoiser.quadrature().nodes) {
        explained += node.weight * std::pow(denoiser(node.x) - prior.mean(), 2);
        cube += node.weight * std::pow(node.g.imag() / pi, 2);
      }
      const double error = denoiser.mean_square_error();
      EXPECT_NEAR(error, variance_of(prior) - explained, 1e-10 * prior.second_moment()) << v;
      EXPECT_NEAR(error, v * (1 - 4 * pi * pi / 3 * v * cube), 1e-10 * prior.second_moment()) << v;
      EXPECT_LT(denoiser.quadrature().error(), 1e-9);
    }
}

TEST(OptimalDenoiser, ErrorIsFourTimesTheSlopeOfTheInformation) {
  for (const Spectrum& prior : priors())
    for (const double v : {0.01, 0.3, 4.0}) {
      const double q_hat = 1 / v, step = 1e-3 * q_hat;
      const auto information = [&](double q) { return OptimalDenoiser(prior, 1 / q).mutual_information(); };
      const double slope = (8 * (information(q_hat + step) - information(q_hat - step)) -
                            (information(q_hat + 2 * step) - information(q_hat - 2 * step))) /
                           (12 * step);
      const double error = OptimalDenoiser(prior, v).mean_square_error();
      EXPECT_NEAR(slope, error / 4, 1e-8 * error);
      EXPECT_GT(information(q_hat), 0);
    }
}

TEST(OptimalDenoiser, ErrorGrowsWithTheNoiseAndTheResponseFalls) {
  for (const Spectrum& prior : priors()) {
    double error = 0, response = 1 - atom_collision(prior);
    for (double v = 1e-5; v < 1e5; v *= 3) {
      const OptimalDenoiser denoiser(prior, v);
      EXPECT_GT(denoiser.mean_square_error(), error);
      EXPECT_LT(denoiser.response(), response + 1e-9) << v;
      EXPECT_LE(denoiser.mean_square_error(), v * variance_of(prior) / (v + variance_of(prior)) * (1 + 1e-9));
      error = denoiser.mean_square_error();
      response = denoiser.response();
    }
    EXPECT_NEAR(error, variance_of(prior), 1e-2 * variance_of(prior));
  }
}

TEST(OptimalDenoiser, ResponseAtVanishingNoiseCountsTheOrbit) {
  EXPECT_DOUBLE_EQ(atom_collision(WishartSpectrum{0.3, 2}), 0.49);
  EXPECT_DOUBLE_EQ(atom_collision(WishartSpectrum{1, 2}), 0);
  EXPECT_DOUBLE_EQ(atom_collision(DiscreteSpectrum{{0, 1}, {0.25, 0.75}}), 0.625);
  for (const Spectrum& prior : {Spectrum(WishartSpectrum{0.5, 1}), Spectrum(WishartSpectrum{2, 1}),
                                Spectrum(DiscreteSpectrum{{0, 1, 4}, {0.5, 0.25, 0.25}})})
    EXPECT_NEAR(OptimalDenoiser(prior, 1e-8).response(), 1 - atom_collision(prior), 1e-7);
  // The approach: 1 − (1 − κ)² − 0.75 v at κ = 1/2, 1 − 1.3 v^{2/3} at the hard edge κ = 1.
  EXPECT_NEAR((0.75 - OptimalDenoiser(WishartSpectrum{0.5, 1}, 1e-4).response()) / 1e-4, 0.75, 1e-3);
  EXPECT_NEAR((1 - OptimalDenoiser(WishartSpectrum{1, 1}, 1e-6).response()) / 1e-4, 1.3, 0.05);
}

TEST(OptimalDenoiser, OfOneEigenvalueKnowsItAll) {
  const OptimalDenoiser denoiser(DiscreteSpectrum{{3}, {1}}, 0.5);
  EXPECT_NEAR(denoiser.mean_square_error(), 0, 1e-12);
  for (const double x : {-4.0, 1.6, 3.0, 4.0, 4.4, 9.0}) {
    // Beyond the bulk ξ = 2u − x with u + v/(u − 3) = x.
    const double t = x - 3, outside = std::sqrt(std::max(0.0, t * t - 2));
    EXPECT_NEAR(denoiser(x), 3 + std::copysign(outside, t), 1e-7) << x;
  }
}

/// ξ from the definition at complex argument slightly above x, by damped iteration of g = G(z − v g).
double by_iteration(const Spectrum& prior, double v, double x) {
  constexpr double kHeight = 1e-4;
  const Complex z(x, kHeight);
  Complex g = 1.0 / z;
  for (int i = 0; i < 200000; ++i) g = 0.5 * (g + prior.stieltjes(z - v * g).value);
  return x - 2 * v * g.real();
}

TEST(OptimalDenoiser, IsTheDefinitionInsideBetweenAndBeyondTheBands) {
  for (const Spectrum& prior : {Spectrum(WishartSpectrum{0.2, 1}), Spectrum(WishartSpectrum{0.2, -1}),
                                Spectrum(DiscreteSpectrum{{-2, 0.5, 3}, {0.3, 0.5, 0.2}})}) {
    const double v = 0.04;
    const OptimalDenoiser denoiser(prior, v);
    ASSERT_GE(denoiser.law().bands().size(), 2U);
    const Law::Band &first = denoiser.law().bands()[0], &second = denoiser.law().bands()[1];
    const Interval hull = denoiser.law().hull();
    for (const double x : {hull.lower - 3, hull.lower - 0.1, 0.5 * (first.support.lower + first.support.upper),
                           0.5 * (first.support.upper + second.support.lower), second.support.lower + 0.1,
                           hull.upper + 0.1, hull.upper + 30})
      EXPECT_NEAR(denoiser(x), by_iteration(prior, v, x), 1e-4 * (1 + std::abs(x))) << x;
  }
}

TEST(OptimalDenoiser, IncreasesWithoutJumps) {
  for (const Spectrum& prior : priors())
    for (const double v : {1e-4, 0.02, 0.5, 20.0}) {
      const OptimalDenoiser denoiser(prior, v);
      const Interval hull = denoiser.law().hull();
      const double width = hull.upper - hull.lower;
      double previous = -std::numeric_limits<double>::infinity();
      for (double x = hull.lower - width; x < hull.upper + width; x += width / 700) {
        const double estimate = denoiser(x);
        EXPECT_GT(estimate, previous) << "v = " << v << ", x = " << x;
        previous = estimate;
      }
      const std::vector<Interval> bands = denoiser.bands();
      for (std::size_t i = 0; i < bands.size(); ++i) {
        const Interval support = denoiser.law().bands()[i].support;
        const double nudge = 1e-9 * width;
        for (const double side : {-nudge, 0.0, nudge}) {
          EXPECT_NEAR(denoiser(support.lower + side), bands[i].lower, 1e-3 * width);
          EXPECT_NEAR(denoiser(support.upper + side), bands[i].upper, 1e-3 * width);
        }
      }
    }
}

TEST(OptimalDenoiser, CommutesWithScaling) {
  for (const Spectrum& prior : priors()) {
    const OptimalDenoiser denoiser(prior, 0.3), scaled(prior.scaled(-2.5), 0.3 * 6.25);
    EXPECT_NEAR(scaled.mean_square_error(), 6.25 * denoiser.mean_square_error(), 1e-11 * scaled.mean_square_error());
    EXPECT_NEAR(scaled.mutual_information(), denoiser.mutual_information(), 1e-12);
    for (const double x : {-3.0, -0.5, 0.2, 1.4, 8.0}) EXPECT_NEAR(scaled(-2.5 * x), -2.5 * denoiser(x), 1e-9);
  }
}

TEST(OptimalDenoiser, OfASampledMatrixReachesItsError) {
  constexpr std::size_t d = 300;
  constexpr int kInstances = 6;
  const double kappa = 0.5, v = 0.3;
  const OptimalDenoiser denoiser(WishartSpectrum{kappa, 1}, v);
  const std::size_t rank = d / 2;
  double error = 0, square = 0, nishimori = 0;
  for (std::uint64_t instance = 0; instance < kInstances; ++instance) {
    std::vector<double> factor(d * rank), noise(d * d), transposed(rank * d), target(d * d), noisy(d * d);
    base::NormalStream(7, 2 * instance).fill(0, factor);
    base::NormalStream(7, 2 * instance + 1).fill(0, noise);
    for (std::size_t i = 0; i < d; ++i)
      for (std::size_t k = 0; k < rank; ++k) transposed[k * d + i] = factor[i * rank + k];
    base::gemm(base::Transpose::no, d, d, rank, factor.data(), transposed.data(), 0.0, target.data());
    const auto size = static_cast<double>(d);
    for (std::size_t i = 0; i < d; ++i)
      for (std::size_t j = 0; j < d; ++j) {
        target[i * d + j] /= std::sqrt(static_cast<double>(rank) * size);
        noisy[i * d + j] = target[i * d + j] + std::sqrt(v / (2 * size)) * (noise[i * d + j] + noise[j * d + i]);
      }
    const std::vector<double> eigenvalues = base::symmetric_eigensystem(noisy, d);
    // Row k of `noisy` is eigenvector k: Tr(Ŝ S) = Σ ξ_k e_kᵀ S e_k.
    std::vector<double> image(d * d);
    base::gemm(base::Transpose::no, d, d, d, noisy.data(), target.data(), 0.0, image.data());
    double cross = 0, norm = 0, target_norm = 0;
    for (std::size_t k = 0; k < d; ++k) {
      const double estimate = denoiser(eigenvalues[k]);
      norm += estimate * estimate / size;
      for (std::size_t i = 0; i < d; ++i) cross += estimate * noisy[k * d + i] * image[k * d + i] / size;
    }
    for (const double entry : target) target_norm += entry * entry / size;
    const double sample = target_norm - 2 * cross + norm;
    error += sample / kInstances;
    square += sample * sample / kInstances;
    nishimori += (cross - norm) / norm / kInstances;
  }
  const double standard_error = std::sqrt((square - error * error) / (kInstances - 1));
  // Beside the scatter, a correction of relative order 1/d.
  EXPECT_NEAR(error, denoiser.mean_square_error(), 4 * standard_error + denoiser.mean_square_error() / d);
  EXPECT_NEAR(nishimori, 0, 3e-3);
}

TEST(OptimalDenoiser, RefusesNoNoise) {
  const Spectrum prior = WishartSpectrum{0.5, 1};
  for (const double v : {0.0, -1.0, std::numeric_limits<double>::infinity(), std::nan("")})
    EXPECT_THROW(OptimalDenoiser(prior, v), std::invalid_argument);
}

}  // namespace
}  // namespace attnlaw::matrix_laws
