/// Attention pooling: bulk law, transitions, weights, and the same at finite size. Published numbers are those of
/// docs/theory/pooling.md, to the digits printed there.

#include "attnlaw/laws/pooling/pooling.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <Eigen/Cholesky>
#include <cmath>
#include <filesystem>
#include <limits>
#include <numbers>
#include <random>

#include "attnlaw/base/file.h"
#include "attnlaw/base/memory.h"
#include "attnlaw/laws/pooling/fixed_length.h"
#include "attnlaw/laws/pooling/simulation.h"
#include "attnlaw/matrix_laws/standard_laws.h"

namespace attnlaw::laws {
namespace {

using matrix_laws::Complex;
using matrix_laws::Law;
using testing::HasSubstr;
using testing::ThrowsMessage;

constexpr PoolingRatios kRatios[] = {{0.5, 0.5}, {0.5, 0.25}, {0.2, 0.1}, {1, 1},      {1, 0.5},
                                     {2, 0.5},   {0.5, 2},    {3, 2},     {1e-3, 1e-4}};

/// Half a unit of the last printed digit.
constexpr double kSixDigits = 0.5e-6 + 1e-12;
constexpr double kFiveDigits = 0.5e-5 + 1e-12;

double moment(const Law& law, int power) {
  double sum = 0;
  for (const auto& node : law.quadrature().nodes) sum += node.weight * std::pow(node.x, power);
  return sum;
}

/// ∫ρ(t)/(x−t) dt by quadrature, atom included: panels short enough for a pole close to the band.
Complex stieltjes_by_quadrature(const Law& law, Complex x) {
  constexpr int kPanels = 100;
  const auto [lower, upper] = law.bands().front().support;
  std::vector<double> breakpoints;
  for (int i = 1; i < kPanels; ++i) breakpoints.push_back(lower + (upper - lower) * i / kPanels);
  Complex sum = 0;
  for (const auto& atom : law.atoms()) sum += atom.mass / (x - atom.x);
  for (const auto& node : law.quadrature(breakpoints).nodes) sum += node.weight / (x - node.x);
  return sum;
}

// ---------------------------------------------------------------------------------------------------- the bulk

struct BulkRow {
  PoolingRatios ratios;
  double upper_critical, lower, upper, m2, m3, m4, at_half, at_one, at_two;
};

constexpr BulkRow kBulk[] = {
    {{0.5, 0.5}, 1.280776, 0.028350, 4.409150, 2, 5.25, 15.75, 0.510731, 0.285696, 0.139739},
    {{0.5, 0.25}, 1.054547, 0.055936, 3.746690, 1.75, 3.9375, 10.078125, 0.589302, 0.339623, 0.161976},
    {{0.2, 0.1}, 0.620086, 0.240245, 2.488158, 1.3, 2.01, 3.465, 0.878483, 0.563587, 0.205952},
    {{1, 1}, 2, 0, 6.75, 3, 12, 55, 0.318310, 0.178979, 0.093860},
    {{1, 0.5}, 1.618034, 0, 5.545085, 2.5, 8.25, 31.125, 0.385977, 0.220144, 0.113906}};

TEST(PoolingLaw, ReferenceTable) {
  for (const BulkRow& row : kBulk) {
    SCOPED_TRACE(testing::Message() << row.ratios.delta << " " << row.ratios.gamma);
    const Law law = pooling_law(row.ratios);
    EXPECT_NEAR(critical_points(row.ratios).upper, row.upper_critical, kSixDigits);
    EXPECT_NEAR(law.bands().front().support.lower, row.lower, kSixDigits);
    EXPECT_NEAR(law.bands().front().support.upper, row.upper, kSixDigits);
    EXPECT_TRUE(law.atoms().empty());
    EXPECT_NEAR(pooling_moment(row.ratios, 1), 1, 1e-14);
    EXPECT_NEAR(pooling_moment(row.ratios, 2), row.m2, 1e-12);
    EXPECT_NEAR(pooling_moment(row.ratios, 3), row.m3, 1e-12);
    EXPECT_NEAR(pooling_moment(row.ratios, 4), row.m4, 1e-12);
    EXPECT_NEAR(law.density(0.5), row.at_half, kSixDigits);
    EXPECT_NEAR(law.density(1), row.at_one, kSixDigits);
    EXPECT_NEAR(law.density(2), row.at_two, kSixDigits);
  }
}

TEST(PoolingLaw, ReferenceMediansTransformsAndEdgeCoefficients) {
  EXPECT_NEAR(pooling_law({0.5, 0.5}).quantile(0.5), 0.620762, kSixDigits);
  EXPECT_NEAR(pooling_law({0.5, 0.25}).quantile(0.5), 0.713016, kSixDigits);
  EXPECT_NEAR(pooling_law({0.2, 0.1}).quantile(0.5), 0.880738, kSixDigits);
  const Complex x(0.7, 0.3);
  EXPECT_NEAR(std::abs(pooling_stieltjes({0.5, 0.5}, x) - Complex(0.29909517, -1.11765239)), 0, 1e-8);
  EXPECT_NEAR(std::abs(pooling_stieltjes({2, 0.5}, x) - Complex(0.54326569, -0.72451934)), 0, 1e-8);
  EXPECT_NEAR(pooling_stieltjes({0.5, 0.5}, -1).real(), -0.607522, kSixDigits);
  EXPECT_NEAR(upper_edge_coefficient({0.5, 0.5}), 0.047084, kSixDigits);
  EXPECT_NEAR(upper_edge_coefficient({0.2, 0.1}), 0.251653, kSixDigits);
}

TEST(PoolingLaw, HasUnitMassAndItsMoments) {
  for (const PoolingRatios& ratios : kRatios) {
    SCOPED_TRACE(testing::Message() << ratios.delta << " " << ratios.gamma);
    const Law law = pooling_law(ratios);
    double atom = 0;
    for (const auto& a : law.atoms()) atom += a.mass;
    EXPECT_NEAR(moment(law, 0) + atom, 1, 1e-12);
    for (int n = 1; n <= 6; ++n) EXPECT_NEAR(moment(law, n) / pooling_moment(ratios, n), 1, 1e-11) << n;
    EXPECT_LT(law.quadrature().error(), 1e-11);
  }
}

TEST(PoolingLaw, AtomIsWhatTheRankLacks) {
  EXPECT_DOUBLE_EQ(pooling_law({2, 0.5}).atoms().front().mass, 0.5);
  EXPECT_DOUBLE_EQ(pooling_law({0.5, 4}).atoms().front().mass, 0.75);
  EXPECT_TRUE(pooling_law({1, 0.3}).atoms().empty());
}

TEST(PoolingLaw, IsSymmetricInItsRatiosAndScalesWithKappa) {
  const Law law = pooling_law({2, 0.3}), swapped = pooling_law({0.3, 2}), scaled = pooling_law({2, 0.3}, 0.07);
  for (const double x : {0.2, 1.0, 3.0, 6.0}) {
    EXPECT_NEAR(law.density(x), swapped.density(x), 1e-12);
    EXPECT_NEAR(law.density(x), 0.07 * scaled.density(0.07 * x), 1e-12);
    EXPECT_NEAR(law.cdf(x), scaled.cdf(0.07 * x), 1e-12);
  }
}

TEST(PoolingLaw, BecomesMarchenkoPasturWithoutOneOfTheFactors) {
  constexpr double kNone = 1e-9;
  for (const double ratio : {0.2, 0.7, 3.0}) {
    // jump = ratio, mean 1
    const Law reference = matrix_laws::marchenko_pastur({1 / ratio, std::sqrt(ratio)});
    for (const PoolingRatios& ratios : {PoolingRatios{ratio, kNone}, PoolingRatios{kNone, ratio}})
      for (const double x : {0.5, 1.0, 1.7}) {
        EXPECT_NEAR(pooling_law(ratios).density(x), reference.density(x), 1e-7);
        EXPECT_NEAR(pooling_law(ratios).cdf(x), reference.cdf(x), 1e-7);
      }
  }
}

TEST(PoolingLaw, TransformAgreesWithQuadratureEverywhere) {
  for (const PoolingRatios& ratios : kRatios) {
    const Law law = pooling_law(ratios);
    for (const double re : {-3.0, -0.4, 0.0, 0.1, 0.9, 2.2, 5.0, 11.0})
      for (const double im : {0.2, 1.0, -0.5, 4.0}) {
        const Complex x(re, im), reference = stieltjes_by_quadrature(law, x);
        EXPECT_LT(std::abs(pooling_stieltjes(ratios, x) - reference), 1e-10 * std::abs(reference))
            << ratios.delta << " " << ratios.gamma << " " << re << " " << im;
      }
    for (const double x : {-2.0, -0.3, 1.3 * law.hull().upper}) {
      const Complex reference = stieltjes_by_quadrature(law, x);
      EXPECT_NEAR(pooling_stieltjes(ratios, x).real() / reference.real(), 1, 1e-10);
      EXPECT_EQ(pooling_stieltjes(ratios, x).imag(), 0);
    }
  }
}

TEST(PoolingLaw, TransformInTheBandIsThatOfTheDensity) {
  const Law law = pooling_law({0.5, 0.25});
  for (const double x : {0.1, 1.0, 3.5}) {
    EXPECT_NEAR(std::abs(pooling_stieltjes({0.5, 0.25}, x) - law.stieltjes(x)), 0, 1e-10);
    EXPECT_NEAR(-law.stieltjes(x).imag() / std::numbers::pi, law.density(x), 1e-12);
  }
}

TEST(PoolingLaw, DensityVanishesLikeItsSquareRoot) {
  for (const PoolingRatios& ratios : {PoolingRatios{0.5, 0.5}, PoolingRatios{2, 0.5}, PoolingRatios{1, 1}}) {
    const Law law = pooling_law(ratios);
    const double edge = law.hull().upper, below = 1e-6 * edge;
    EXPECT_NEAR(law.density(edge - below) / (upper_edge_coefficient(ratios) * std::sqrt(below)), 1, 1e-4);
  }
}

TEST(PoolingLaw, DensityPointsAreThoseOfTheLaw) {
  const PoolingDensity curve = pooling_density({2, 0.5}, 0.3, 100);
  const Law law = pooling_law({2, 0.5}, 0.3);
  ASSERT_EQ(curve.x.size(), 100u);
  EXPECT_TRUE(std::is_sorted(curve.x.begin(), curve.x.end()));
  for (std::size_t i = 0; i < curve.x.size(); i += 9) EXPECT_NEAR(curve.density[i], law.density(curve.x[i]), 1e-9);
}

// ---------------------------------------------------------------------------------------------- signal and outlier

struct SpikeRow {
  PoolingRatios ratios;
  double mu2, ratio, s, population, population_alignment, sample, sample_alignment, threshold1, threshold2;
};

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

constexpr SpikeRow kSpikes[] = {{{0.5, 0.5}, 1, 1, 1, 3, 0.333333, kNone, 0, 0.70711, 1.28078},
                                {{0.5, 0.5}, 1, 1.5, 1.75, 3.535714, 0.557823, 4.545918, 0.258503, 0.30474, 0.68718},
                                {{0.5, 0.5}, 1, 3, 4, 5.625, 0.645833, 6.328125, 0.541667, -0.09763, 0.09359},
                                {{0.5, 0.25}, 1, 2, 2.5, 4.2, 0.613333, 4.62, 0.511515, 0.10355, 0.27727},
                                {{2, 0.5}, 1, 2, 4, 7.5, 0.291667, 8.4375, 0.222222, -0.29289, 0.05455},
                                {{1, 1}, 2, 3, 8, 10.125, 0.656250, 11.390625, 0.5625, -0.33333, 0}};

TEST(Pooling, ReferenceSpikes) {
  constexpr double kappa = 0.0625;
  for (const SpikeRow& row : kSpikes) {
    SCOPED_TRACE(testing::Message() << row.ratios.delta << " " << row.ratios.gamma << " ratio " << row.ratio);
    const PoolingPrediction p = predict_pooling({row.ratios, row.mu2, row.ratio * kappa, kappa});
    EXPECT_NEAR(p.sample.s, row.s, 1e-12);
    EXPECT_EQ(p.population.spike.place, Place::above);
    EXPECT_NEAR(p.population.spike.eigenvalue / kappa, row.population, kSixDigits);
    EXPECT_NEAR(p.population.alignment, row.population_alignment, kSixDigits);
    const bool visible = !std::isnan(row.sample);
    EXPECT_EQ(p.sample.spike.place, visible ? Place::above : Place::hidden);
    EXPECT_NEAR(p.sample.spike.eigenvalue, visible ? kappa * row.sample : p.band.upper, kSixDigits * kappa);
    EXPECT_NEAR(p.sample.alignment, row.sample_alignment, kSixDigits);
    EXPECT_NEAR(p.population.threshold, row.threshold1, kFiveDigits);
    EXPECT_NEAR(p.sample.threshold, row.threshold2, kFiveDigits);
    EXPECT_NEAR(p.table.threshold, std::sqrt(row.ratios.delta), 1e-15);
  }
}

TEST(Pooling, ReferenceGapOutlier) {
  const PoolingPrediction p = predict_pooling({{2, 0.5}, 0.5, 0.1, 1});
  EXPECT_EQ(p.sample.spike.place, Place::gap);
  EXPECT_NEAR(p.sample.s, -1.75, 1e-14);
  EXPECT_NEAR(p.sample.spike.eigenvalue, 0.076531, kSixDigits);
  EXPECT_NEAR(p.sample.alignment, 0.064490, kSixDigits);
  EXPECT_NEAR(p.population.threshold, 32.1421, 0.5e-4);
  EXPECT_NEAR(p.sample.threshold, 39.0909, 0.5e-4);
  EXPECT_GT(p.sample.spike.eigenvalue, 0);
  EXPECT_LT(p.sample.spike.eigenvalue, p.band.lower);
  EXPECT_EQ(p.population.spike.place, Place::gap);
}

TEST(Pooling, ReferencePhantomThresholds) {
  const std::pair<PoolingRatios, double> rows[] = {
      {{0.5, 0.5}, 3.561553}, {{0.5, 0.25}, 3.109093}, {{0.2, 0.1}, 4.100432}, {{2, 0.5}, 2.054547}, {{1, 1}, 3}};
  for (const auto& [ratios, threshold] : rows) {
    const PoolingPrediction p = predict_pooling({ratios, 0, 1, 1});
    EXPECT_NEAR(p.phantom_ratio, threshold, kSixDigits);
    const PoolingPrediction below = predict_pooling({ratios, 0, threshold - 1e-5, 1});
    const PoolingPrediction above = predict_pooling({ratios, 0, threshold + 1e-5, 1});
    EXPECT_FALSE(below.phantom());
    EXPECT_TRUE(above.phantom());
    EXPECT_EQ(below.sample.spike.place, Place::hidden);
    EXPECT_EQ(above.sample.spike.place, Place::above);
    EXPECT_EQ(above.sample.alignment, 0);
  }
}

TEST(Pooling, OutlierLeavesTheEdgeWithoutAlignment) {
  for (const PoolingRatios& ratios : kRatios) {
    const CriticalPoints critical = critical_points(ratios);
    EXPECT_NEAR(pooling_map(ratios, critical.upper) / pooling_law(ratios).hull().upper, 1, 1e-13);
    EXPECT_LT(std::sqrt(ratios.delta), critical.upper);
    const Spike spike = sample_spike(ratios, 1, critical.upper * (1 + 1e-6));
    EXPECT_EQ(spike.place, Place::above);
    EXPECT_GT(spike.overlap, 0);
    EXPECT_LT(spike.overlap, 1e-5);
  }
}

TEST(Pooling, ManySequencesShowThePopulation) {
  for (const double delta : {0.3, 2.5})
    for (const double s : {-1.9, 0.4, 1.8, 7.0}) {
      const Spike population = population_spike(delta, 0.2, s), sample = sample_spike({delta, 1e-10}, 0.2, s);
      EXPECT_EQ(sample.place, population.place) << delta << " " << s;
      EXPECT_NEAR(sample.eigenvalue, population.eigenvalue, 1e-4);
      EXPECT_NEAR(sample.overlap, population.overlap, 1e-8);
    }
}

TEST(Pooling, AnInfiniteVocabularyIsTheSpikedCovarianceModel) {
  // δ → 0: spike 1 + θ of a Wishart matrix with aspect ratio γ (Baik, Ben Arous, Péché; Paul).
  const double gamma = 0.4, theta = 1.5;
  const PoolingPrediction p = predict_pooling({{1e-10, gamma}, theta, 1, 1});
  EXPECT_NEAR(p.sample.spike.eigenvalue, (1 + theta) * (1 + gamma / theta), 1e-8);
  EXPECT_NEAR(p.sample.alignment, (1 - gamma / (theta * theta)) / (1 + gamma / theta), 1e-8);
  EXPECT_NEAR(p.sample.threshold, std::sqrt(gamma), 1e-8);
}

TEST(Pooling, AlignmentIsTheLogarithmicDerivativeOfTheMap) {
  // population eigenvalue · d log F/ds, by differences
  const PoolingRatios ratios{0.6, 0.35};
  for (const double s : {1.5, 3.0, 9.0}) {
    const double h = 1e-5;
    const double slope = (std::log(pooling_map(ratios, s + h)) - std::log(pooling_map(ratios, s - h))) / (2 * h);
    EXPECT_NEAR(sample_spike(ratios, 1, s).overlap, population_spike(ratios.delta, 1, s).eigenvalue * slope, 1e-9);
  }
}

TEST(Pooling, MoreCorrelationNeverHurtsAndHasACeiling) {
  double before = 0, threshold = std::numeric_limits<double>::infinity();
  for (double ratio = 0.5; ratio < 1e6; ratio *= 1.7) {
    const PoolingPrediction p = predict_pooling({{0.5, 0.5}, 0.8, ratio, 1});
    EXPECT_GE(p.sample.alignment, before);
    EXPECT_LT(p.sample.threshold, threshold);
    before = p.sample.alignment, threshold = p.sample.threshold;
  }
  EXPECT_NEAR(before, 0.8 / 1.3, 1e-5);
}

TEST(Pooling, NoCorrelationLeavesTheTable) {
  const PoolingPrediction p = predict_pooling({{0.5, 0.5}, 1.1, 0.3, 0.3});
  EXPECT_NEAR(p.population.spike.eigenvalue, 0.3 * p.table.spike.eigenvalue, 1e-14);
  EXPECT_NEAR(p.table.spike.eigenvalue, (1 + 1.1) * (1 + 0.5 / 1.1), 1e-13);
  EXPECT_NEAR(p.table.alignment, 1.1 / 1.6 * (1 - 0.5 / 1.21), 1e-13);
}

TEST(Pooling, AVanishingSignalVarianceIsNoOutlier) {
  const PoolingPrediction p = predict_pooling({{2, 0.5}, 1, 0, 1});
  EXPECT_EQ(p.sample.spike.place, Place::hidden);
  EXPECT_TRUE(std::isinf(p.sample.threshold));
}

TEST(Pooling, RefusesWhatIsOutOfRange) {
  const auto refuses = [](const PoolingModel& model, const char* name) {
    EXPECT_THAT([&] { predict_pooling(model); }, ThrowsMessage<std::invalid_argument>(HasSubstr(name)));
  };
  const double nan = kNone, inf = std::numeric_limits<double>::infinity();
  for (const double bad : {0.0, -1.0, nan, inf}) {
    refuses({{bad, 0.5}, 1, 1, 1}, "delta");
    refuses({{0.5, bad}, 1, 1, 1}, "gamma");
    refuses({{0.5, 0.5}, 1, 1, bad}, "kappa_pool");
  }
  for (const double bad : {-1.0, nan, inf}) {
    refuses({{0.5, 0.5}, bad, 1, 1}, "mu2");
    refuses({{0.5, 0.5}, 1, bad, 1}, "alpha_pool");
  }
  EXPECT_THROW(pooling_law({0.5, 0.5}, 0), std::invalid_argument);
}

// ------------------------------------------------------------------------------------------------------- weights

SignCorrelations power(double r0, double decay, std::size_t length) {
  return SignCorrelations(SignCorrelations::Profile{power_profile(r0, decay, length)});
}

double ratio(const std::vector<double>& weights, const SignCorrelations& correlations) {
  return pooling_scalars(weights, correlations).ratio();
}

TEST(PoolingWeights, ReferenceValues) {
  const auto expect_weights = [](const std::vector<double>& weights, const std::vector<double>& reference) {
    ASSERT_EQ(weights.size(), reference.size());
    for (std::size_t l = 0; l < weights.size(); ++l) EXPECT_NEAR(weights[l], reference[l], kSixDigits);
  };
  expect_weights(harmonic_weights(4), {0.520833, 0.270833, 0.145833, 0.0625});
  expect_weights(attention_weights(4, 1), {0.41394, 0.279469, 0.187749, 0.118842});
  expect_weights(attention_weights(4, 3), {0.284005, 0.260292, 0.23819, 0.217512});
  const auto kappa = [](const std::vector<double>& weights) {
    return pooling_scalars(weights, power(0, 0, weights.size())).kappa;
  };
  EXPECT_NEAR(kappa(attention_weights(16, 1)), 0.095741, kSixDigits);
  EXPECT_NEAR(kappa(attention_weights(16, 3)), 0.068003, kSixDigits);
  const std::pair<std::size_t, double> harmonic[] = {
      {2, 0.625}, {4, 0.369792}, {8, 0.207533}, {16, 0.111794}, {32, 0.058537}};
  for (const auto& [length, reference] : harmonic) {
    EXPECT_NEAR(kappa(harmonic_weights(length)), reference, kSixDigits);
  }
}

TEST(PoolingWeights, HarmonicIdentities) {
  for (const std::size_t length : {1, 2, 7, 100, 1000}) {
    const std::vector<double> w = harmonic_weights(length);
    const PoolingScalars scalars = pooling_scalars(w, power(0, 0, length));
    double harmonic_number = 0;
    for (std::size_t j = length; j >= 1; --j) harmonic_number += 1.0 / static_cast<double>(j);
    const double L = static_cast<double>(length);
    EXPECT_NEAR(scalars.sum, 1, 1e-13);
    EXPECT_NEAR(scalars.kappa, (2 * L - harmonic_number) / (L * L), 1e-14);
    EXPECT_NEAR(w.front() / w.back(), L * harmonic_number, 1e-11 * L * harmonic_number);
  }
}

TEST(PoolingWeights, AttentionGoesFromHarmonicToTheMean) {
  for (const double tau : {-800.0, -2.0, 0.7, 5.0, 800.0}) {
    EXPECT_NEAR(pooling_scalars(attention_weights(9, tau), power(0, 0, 9)).sum, 1, 1e-13) << tau;
  }
  EXPECT_EQ(attention_weights(9, 0), harmonic_weights(9));
  for (const double w : attention_weights(9, 800)) EXPECT_DOUBLE_EQ(w, 1.0 / 9);
  EXPECT_THROW(attention_weights(9, kNone), std::invalid_argument);
}

TEST(PoolingWeights, ReferenceRatios) {
  struct Row {
    double decay, mean, harmonic, optimal;
  };
  for (const Row& row : {Row{0, 13.15, 7.43547, 13.15}, Row{0.3, 5.05285, 4.10743, 5.256},
                         Row{0.5, 3.07705, 3.02129, 3.38923}, Row{1, 1.4984, 1.8154, 1.82878}}) {
    const SignCorrelations correlations = power(0.9, row.decay, 16);
    const PoolingChoices choices = compare_weights({0.5, 0.5}, correlations, attention_weights(16, 1));
    EXPECT_NEAR(choices.mean.scalars.ratio(), row.mean, kFiveDigits);
    EXPECT_NEAR(choices.harmonic.scalars.ratio(), row.harmonic, kFiveDigits);
    EXPECT_NEAR(choices.optimal.scalars.ratio(), row.optimal, kFiveDigits);
    EXPECT_NEAR(optimal_weights(correlations).ratio, choices.optimal.scalars.ratio(), 1e-12);
    EXPECT_EQ(choices.harmonic_beats_mean(), row.decay > 0.53);
    EXPECT_LE(choices.optimal.threshold, std::min(choices.mean.threshold, choices.harmonic.threshold) + 1e-12);
  }
  const SignCorrelations markov(SignCorrelations::Markov{0.7, 16});
  EXPECT_NEAR(ratio(mean_weights(16), markov), 4.69768, kFiveDigits);
  EXPECT_NEAR(ratio(harmonic_weights(16), markov), 3.55220, kFiveDigits);
  EXPECT_NEAR(ratio(optimal_weights(markov).weights, markov), 4.85301, kFiveDigits);
}

TEST(PoolingWeights, WhenHarmonicBeatsTheMean) {
  const std::pair<std::size_t, double> rows[] = {
      {8, 0.74652}, {16, 0.52354}, {64, 0.37508}, {256, 0.32676}, {2000, 0.30267}};
  for (const auto& [length, crossing] : rows) {
    const auto found = harmonic_crossing(0.9, length);
    ASSERT_TRUE(found);
    EXPECT_NEAR(*found, crossing, kFiveDigits);
    if (length > 256) continue;
    for (const double step : {-1e-3, 1e-3}) {
      const SignCorrelations correlations = power(0.9, *found + step, length);
      EXPECT_EQ(compare_weights({0.5, 0.5}, correlations, mean_weights(length)).harmonic_beats_mean(), step > 0);
    }
  }
  EXPECT_NEAR(kHarmonicCrossingLimit, 1 - 1 / std::numbers::sqrt2, 1e-16);
  EXPECT_FALSE(harmonic_crossing(0.9, 2));
  EXPECT_FALSE(harmonic_crossing(0, 16));
}

TEST(PoolingWeights, OptimalOfAConstantProfileIsTheMean) {
  const std::vector<double> w = optimal_weights(power(0.4, 0, 11)).weights;
  for (const double weight : w) EXPECT_NEAR(weight, 1.0 / 11, 1e-13);
  // no correlation at all: every direction is optimal, the mean is chosen
  for (const double weight : optimal_weights(power(0, 0, 6)).weights) EXPECT_NEAR(weight, 1.0 / 6, 1e-13);
}

TEST(PoolingWeights, QuadraticFormIsThatOfTheMatrix) {
  const std::vector<double> w{0.5, -0.2, 0.1, 0.7};
  const Eigen::Map<const Eigen::VectorXd> vector(w.data(), 4);
  for (const SignCorrelations& correlations :
       {power(0.8, 0.6, 4), SignCorrelations(SignCorrelations::Markov{-0.6, 4})}) {
    const Eigen::MatrixXd R = correlations.matrix();
    EXPECT_NEAR(correlations.quadratic_form(w), vector.dot(R * vector), 1e-14);
    const SignCorrelations general(SignCorrelations::General{R});
    EXPECT_NEAR(general.quadratic_form(w), vector.dot(R * vector), 1e-14);
  }
}

class PoolingFiles : public testing::Test {
 protected:
  PoolingFiles()
      : path_((std::filesystem::temp_directory_path() /
               (std::string("attnlaw_pooling_") + testing::UnitTest::GetInstance()->current_test_info()->name()))
                  .string()) {}
  ~PoolingFiles() override { std::filesystem::remove(path_); }

  std::string file(const std::string& content) const {
    base::write_atomically(path_, content);
    return "file:" + path_;
  }

  std::string path_;
};

TEST_F(PoolingFiles, HoldProfilesMatricesAndWeights) {
  const SignCorrelations profile = SignCorrelations::parse(file("0.9 # first\n0.5\n-0.2\n"), std::nullopt);
  EXPECT_EQ(profile.length(), 3u);
  EXPECT_NEAR(profile.matrix()(0, 2), -0.18, 1e-15);
  const SignCorrelations matrix = SignCorrelations::parse(file("1, -0.9\n-0.9 1\n"), 2);
  EXPECT_EQ(matrix.matrix()(0, 1), -0.9);
  EXPECT_EQ(parse_weights(file("0.3\n0.7\n"), matrix), (std::vector<double>{0.3, 0.7}));
  EXPECT_EQ(parse_weights("attention:1", profile), attention_weights(3, 1));
  EXPECT_EQ(SignCorrelations::parse("power:0.9,0.5", 4).matrix(), power(0.9, 0.5, 4).matrix());
  EXPECT_EQ(SignCorrelations::parse("markov:0.7", 4).matrix()(3, 1), 0.7 * 0.7);
}

TEST_F(PoolingFiles, ThatAreWrongAreNamed) {
  const auto refuses = [](const auto& call, const std::string& named) {
    EXPECT_THAT(call, ThrowsMessage<std::invalid_argument>(HasSubstr(named)));
  };
  const auto profile = [](const std::string& spec, std::optional<std::size_t> length = std::nullopt) {
    return [=] { SignCorrelations::parse(spec, length); };
  };
  refuses(profile(file("1 0.9 -0.9\n0.9 1 0.9\n-0.9 0.9 1\n")), "positive semidefinite");
  refuses(profile(file("1 0.5\n0.4 1\n")), "symmetric");
  refuses(profile(file("2 0.5\n0.5 1\n")), "diagonal");
  refuses(profile(file("1 0.5\n0.5\n")), ":1), got 1: '0.5'");
  refuses(profile(file("1 0.5 0\n0.5 1 0\n")), "square");
  refuses(profile(file("0.5\n1.5\n")), "r_2 = 1.5");
  refuses(profile(file("0.5\n0.5\n"), 3), "2 positions");
  refuses(profile(file("x\n")), ":1:");
  refuses(profile("power:0.5,1"), "length");
  refuses(profile("power:2,1", 4), "r_1 = 2");
  refuses(profile("power:0.5", 4), "power:R0,B");
  refuses(profile("markov:1.5", 4), "1.5");
  refuses(profile("markov:0.5", 0), "length");
  refuses(profile("linear:1", 4), "linear:1");
  const SignCorrelations correlations = power(0.5, 1, 3);
  const auto weights = [&](const std::string& spec) { return [&, spec] { parse_weights(spec, correlations); }; };
  refuses(weights(file("1\n2\n")), "2 weights for sequences of 3 tokens");
  refuses(weights(file("0\n0\n0\n")), "kappa");
  refuses(weights("attention:x"), "'x'");
  refuses(weights("median"), "median");
  EXPECT_THROW(parse_weights("file:/nowhere/at/all", correlations), base::FileError);
}

// ---------------------------------------------------------------------------------------------------- finite size

struct Setting {
  const char* name;
  PoolingRatios ratios;
  double mu2;
  const char* profile;
  const char* weights;
  bool centred = true;
};

constexpr std::size_t kLength = 16;

PoolingExperiment simulate(const Setting& setting, std::size_t d, int instances, std::uint64_t seed, int threads = 0) {
  const SignCorrelations correlations = SignCorrelations::parse(setting.profile, kLength);
  PoolingExperimentOptions options;
  options.d = d;
  options.instances = instances;
  options.centred = setting.centred;
  options.seed = seed;
  options.threads = threads;
  const std::vector<double> weights = parse_weights(setting.weights, correlations);
  return simulate_pooling(setting.ratios, setting.mu2, correlations, weights, options);
}

PoolingPrediction predict(const Setting& setting) {
  const SignCorrelations correlations = SignCorrelations::parse(setting.profile, kLength);
  const PoolingScalars scalars = pooling_scalars(parse_weights(setting.weights, correlations), correlations);
  return predict_pooling({setting.ratios, setting.mu2, scalars.alpha, scalars.kappa});
}

/// 5/d relative and 3.5 standard errors.
void expect_agreement(const base::Estimate& measured, double theory, std::size_t d, const char* what) {
  EXPECT_NEAR(measured.value, theory, 5 / static_cast<double>(d) * theory + 3.5 * measured.standard_error) << what;
}

constexpr Setting kVisible[] = {{"mean", {0.5, 0.5}, 1, "power:0.3,0", "mean"},
                                {"strong", {0.5, 0.5}, 1, "power:0.6,0", "mean"},
                                {"large vocabulary", {0.2, 0.1}, 0.5, "power:0.3,0", "mean"},
                                {"small vocabulary", {2, 0.5}, 1, "power:0.4,0", "mean"},
                                {"few sequences", {0.5, 2}, 1, "power:0.5,0", "mean"},
                                {"harmonic", {0.5, 0.5}, 1, "power:0.9,0.5", "harmonic"},
                                {"attention", {0.5, 0.5}, 1, "power:0.9,0.5", "attention:1"},
                                {"optimal", {0.5, 0.5}, 1, "power:0.9,0.5", "optimal"},
                                {"markov", {0.5, 0.25}, 0.5, "markov:0.7", "mean"},
                                {"phantom", {0.5, 0.5}, 0, "power:0.6,0", "mean"},
                                {"uncentred", {0.5, 0.5}, 1, "power:0.6,0", "mean", false}};

TEST(PoolingSimulation, OutlierAndAlignmentAgreeWithTheTheory) {
  std::uint64_t seed = 100;
  for (const Setting& setting : kVisible) {
    SCOPED_TRACE(setting.name);
    constexpr std::size_t kDimension = 300;
    const PoolingExperiment experiment = simulate(setting, kDimension, 8, seed++);
    const PoolingPrediction prediction = predict(setting);
    ASSERT_EQ(prediction.sample.spike.place, Place::above);
    expect_agreement(experiment.sample.eigenvalue, prediction.sample.spike.eigenvalue, kDimension, "eigenvalue");
    // 1/d: what a vector without any alignment has
    EXPECT_NEAR(experiment.sample.alignment.value, prediction.sample.alignment,
                5.0 / kDimension + 3.5 * experiment.sample.alignment.standard_error);
    EXPECT_NEAR(experiment.sample.eigenvalue_difference.value, 0,
                5.0 / kDimension + 3.5 * experiment.sample.eigenvalue_difference.standard_error);
    EXPECT_NEAR(experiment.sample.alignment_difference.value, 0,
                5.0 / kDimension + 3.5 * experiment.sample.alignment_difference.standard_error);
    expect_agreement(experiment.population.eigenvalue, prediction.population.spike.eigenvalue, kDimension, "N = ∞");
    EXPECT_LT(experiment.kolmogorov_distance.value, 5.0 / kDimension);
  }
}

TEST(PoolingSimulation, AcceptanceOfTheReference) {
  const PoolingExperiment experiment = simulate(kVisible[0], 400, 8, 1);
  for (const PoolingInstance& instance : experiment.instances) EXPECT_LT(instance.kolmogorov_distance, 0.015);
  EXPECT_LT(std::abs(experiment.sample.eigenvalue_difference.value), 0.04);
  EXPECT_LT(std::abs(experiment.sample.alignment_difference.value), 0.03);
}

TEST(PoolingSimulation, BelowTheThresholdTheLargestEigenvalueSticksToTheEdge) {
  // s = s_*/2 for δ = γ = 1/2: hidden in the sample and, below √δ, in the population
  const Setting setting{"hidden", {0.5, 0.5}, 0.352627, "power:0.15,0", "mean"};
  const PoolingPrediction prediction = predict(setting);
  EXPECT_NEAR(prediction.sample.s, 0.5 * prediction.critical.upper, 1e-4);
  const PoolingExperiment experiment = simulate(setting, 400, 4, 2);
  EXPECT_LT(experiment.sample.eigenvalue.value, 1.03 * prediction.band.upper);
  EXPECT_GT(experiment.sample.eigenvalue.value, 0.95 * prediction.band.upper);
  EXPECT_LT(experiment.sample.alignment.value, 0.1);
}

TEST(PoolingSimulation, UncentredTheVocabularyMeanIsOnTop) {
  const Setting setting{"nuisance", {0.5, 0.5}, 0, "power:0,0", "mean", false};
  const PoolingExperiment experiment = simulate(setting, 300, 6, 3);
  const PoolingScalars scalars = pooling_scalars(mean_weights(kLength), power(0, 0, kLength));
  const Spike nuisance = nuisance_spike(setting.ratios, scalars);
  EXPECT_NEAR(nuisance.eigenvalue / scalars.kappa, 9.671, 0.5e-3);
  ASSERT_TRUE(experiment.nuisance);
  expect_agreement(experiment.nuisance->eigenvalue, nuisance.eigenvalue, 300, "nuisance");
  EXPECT_LT(experiment.nuisance->alignment.value, 0.02);
}

TEST_F(PoolingFiles, AnticorrelatedTokensPutTheOutlierIntoTheGap) {
  std::string rows;
  for (std::size_t k = 0; k < kLength; ++k)
    for (std::size_t l = 0; l < kLength; ++l)
      rows += std::string(k == l ? "1" : k / 2 == l / 2 ? "-0.9" : "0") + (l + 1 < kLength ? " " : "\n");
  const std::string profile = file(rows);
  const Setting setting{"gap", {2, 0.5}, 0.5, profile.c_str(), "mean"};
  const PoolingPrediction prediction = predict(setting);
  ASSERT_EQ(prediction.sample.spike.place, Place::gap);
  EXPECT_NEAR(prediction.sample.spike.eigenvalue / prediction.model.kappa_pool, 0.0765, 0.5e-4);
  const PoolingExperiment experiment = simulate(setting, 300, 8, 4);
  expect_agreement(experiment.sample.eigenvalue, prediction.sample.spike.eigenvalue, 300, "gap");
  EXPECT_NEAR(experiment.sample.alignment.value, prediction.sample.alignment,
              5.0 / 300 + 3.5 * experiment.sample.alignment.standard_error);
}

TEST_F(PoolingFiles, SignsHaveTheirCorrelations) {
  const std::string general = file("1 0.5 0.1\n0.5 1 -0.3\n0.1 -0.3 1\n");
  std::uint64_t seed = 5;
  for (const std::string& spec : {std::string("power:0.8,0.7"), std::string("markov:-0.6"), general}) {
    const SignCorrelations correlations = SignCorrelations::parse(spec, 3);
    PoolingExperimentOptions options;
    options.d = 20;
    options.instances = 2;
    options.seed = seed++;
    const std::vector<double> weights{0.7, 0.5, -0.3};
    const PoolingExperiment experiment = simulate_pooling({0.5, 1e-3}, 1, correlations, weights, options);
    const double alpha = pooling_scalars(weights, correlations).alpha;
    // Var of a variance over N = 20000 draws of kurtosis ≤ 3: relative error √(2/N) = 0.01 each
    for (const PoolingInstance& instance : experiment.instances) EXPECT_NEAR(instance.alpha / alpha, 1, 0.05) << spec;
  }
}

/// True softmax attention, with the scores that every sequence has, against the weights that are their limit.
TEST(PoolingSimulation, ScoresOfTheirOwnTendToTheLimit) {
  const SignCorrelations correlations = power(0.9, 0.5, kLength);
  std::uint64_t seed = 80;
  for (const double tau : {0.0, 1.0, 3.0}) {
    SCOPED_TRACE(tau);
    PoolingExperimentOptions options;
    options.d = 300;
    options.instances = 8;
    options.own_scores = tau;
    options.seed = seed++;
    const std::vector<double> weights = attention_weights(kLength, tau);
    const PoolingExperiment experiment = simulate_pooling({0.5, 0.5}, 1, correlations, weights, options);
    const PoolingScalars scalars = pooling_scalars(weights, correlations);
    const PoolingPrediction prediction = predict_pooling({{0.5, 0.5}, 1, scalars.alpha, scalars.kappa});
    expect_agreement(experiment.sample.eigenvalue, prediction.sample.spike.eigenvalue, options.d, "eigenvalue");
    EXPECT_NEAR(experiment.sample.alignment.value, prediction.sample.alignment,
                5.0 / 300 + 3.5 * experiment.sample.alignment.standard_error);
  }
  // τ = 0: every score is 0, and the weights are the harmonic ones to rounding.
  PoolingExperimentOptions options;
  options.d = 40;
  options.instances = 1;
  const std::vector<double> harmonic = harmonic_weights(kLength);
  const auto limit = simulate_pooling({0.5, 0.5}, 1, correlations, harmonic, options).eigenvalues();
  options.own_scores = 0;
  const auto own = simulate_pooling({0.5, 0.5}, 1, correlations, harmonic, options).eigenvalues();
  for (std::size_t i = 0; i < own.size(); ++i) EXPECT_NEAR(own[i], limit[i], 1e-12);
}

// ---- fixed length -------------------------------------------------------------------------------------------------

std::vector<double> equal_weights(std::size_t length) {
  return std::vector<double>(length, 1 / std::sqrt(static_cast<double>(length)));
}

/// One token: a Poisson number of occurrences and nothing else. Many: r → S = 1/(1 + X/(1 + XS/c)).
TEST(PoolingFixedLength, ResolventOfSparseCounts) {
  const auto resolvent = [](std::size_t length, double c, double X) {
    return SparseCounts(equal_weights(length), c, length > 2 ? 2048 : 32768).mean_resolvent(X).real();
  };
  for (const double c : {0.5, 1.0, 3.0})
    for (const double X : {0.3, 2.0, 50.0}) {
      double expected = 0, term = std::exp(-c);
      for (int n = 0; n < 60; ++n, term *= c / n) expected += term / (1 + n * X / c);
      EXPECT_NEAR(resolvent(1, c, X), expected, 1e-4) << c << " " << X;
    }
  EXPECT_NEAR(resolvent(2, 1, 2), .5075, 2 * .0016);
  double many = 1;
  for (int i = 0; i < 100; ++i) many = 1 / (1 + 2 / (1 + 2 * many));
  EXPECT_NEAR(many, .5, 1e-12);
  EXPECT_NEAR(resolvent(32, 1, 2), many, 2e-3);
}

/// Against the trace of sampled matrices, with weights that differ.
TEST(PoolingFixedLength, ResolventIsThatOfSampledMatrices) {
  constexpr Eigen::Index kTokens = 700;
  const std::vector<double> weights{.8, .5, .2};
  std::mt19937_64 engine(3);
  for (const auto& [c, X] : {std::pair{.7, 3.0}, {2.0, 10.0}}) {
    const auto sequences = static_cast<Eigen::Index>(std::lround(c * kTokens));
    std::uniform_int_distribution<Eigen::Index> token(0, kTokens - 1);
    base::Estimate sampled;
    std::vector<double> traces;
    for (int draw = 0; draw < 4; ++draw) {
      Eigen::MatrixXd A = Eigen::MatrixXd::Zero(sequences, kTokens);
      for (Eigen::Index i = 0; i < sequences; ++i)
        for (const double w : weights) A(i, token(engine)) += w;
      const Eigen::MatrixXd M = Eigen::MatrixXd::Identity(kTokens, kTokens) +
                                X * kTokens / static_cast<double>(sequences) * A.transpose() * A;
      traces.push_back(M.llt().solve(Eigen::MatrixXd::Identity(kTokens, kTokens)).trace() / kTokens);
    }
    sampled = base::estimate_of(traces);
    EXPECT_NEAR(SparseCounts(weights, c, 16384).mean_resolvent(X).real(), sampled.value,
                3.5 * sampled.standard_error + 2e-3)
        << c << " " << X;
  }
}

/// The zeros that are left over: V e^{-c} tokens never drawn (L = 1); trees in a random graph of mean degree 2 (L = 2,
/// c = 1), t(2 − t)/4 a vertex with t e^{-t} = 2 e^{-2}.
TEST(PoolingFixedLength, MassAtZero) {
  EXPECT_NEAR(fixed_length_law({1, 1}, equal_weights(1)).zero_mass, std::exp(-1), 3e-4);
  EXPECT_NEAR(fixed_length_law({2, .5}, equal_weights(1)).zero_mass, .5 + .5 * std::exp(-4), 3e-4);
  EXPECT_EQ(fixed_length_law({.5, .5}, equal_weights(1)).zero_mass, 0);
  double t = .4;
  for (int i = 0; i < 100; ++i) t = 2 * std::exp(t - 2);
  EXPECT_NEAR(fixed_length_law({1, 1}, equal_weights(2)).zero_mass, t * (2 - t) / 4, .01);
}

/// One token a sequence, δ = γ = ½: ν is Poisson of mean 1, and x = (1 − δ − Σ_n e⁻¹/(n!(1 + nX)))/X was continued to
/// the real axis and integrated in numpy (60000 points).
TEST(PoolingFixedLength, OneTokenIsAPoissonLaw) {
  const FixedLengthLaw law = fixed_length_law({.5, .5}, equal_weights(1));
  for (const auto& [x, cdf] :
       {std::pair{.2, .24267}, {.5, .43468}, {1., .62564}, {2., .83346}, {3., .93972}, {4., .98984}})
    EXPECT_NEAR(law.distribution(x), cdf, 3e-4) << x;
}

TEST(PoolingFixedLength, IsTheLawOfManyTokensForManyTokens) {
  for (const PoolingRatios& ratios : {PoolingRatios{.5, .5}, PoolingRatios{.5, .25}}) {
    const FixedLengthLaw law = fixed_length_law(ratios, equal_weights(12));
    EXPECT_LT(law.mass_error, 2e-3);
    EXPECT_LT(fixed_length_distance(law, ratios, 1), 2.5e-3);
    const Law many = pooling_law(ratios);
    for (const double x : {.3, 1.0, 2.0}) EXPECT_NEAR(law.distribution(x), many.cdf(x), 2.5e-3);
  }
}

TEST(PoolingFixedLength, ScalesWithItsWeightsAndRefusesWhatItCannot) {
  const FixedLengthLaw one = fixed_length_law({.5, .5}, std::vector<double>{1});
  const FixedLengthLaw half = fixed_length_law({.5, .5}, std::vector<double>{.5});
  for (const double x : {.2, 1.0, 3.0}) EXPECT_NEAR(one.distribution(x), half.distribution(x / 4), 1e-4);
  EXPECT_THROW(fixed_length_law({.5, .5}, equal_weights(SparseCounts::kMostPositions + 1)), std::invalid_argument);
  EXPECT_THROW(fixed_length_law({.5, .5}, std::vector<double>{0, 0}), std::invalid_argument);
  EXPECT_THROW(fixed_length_law({50, .5}, equal_weights(2)), std::invalid_argument);
  EXPECT_THROW(fixed_length_law({0, .5}, equal_weights(2)), std::invalid_argument);
}

/// One token a sequence: experiments are 0.04 from the law of many tokens. From that of one it is what finite d leaves,
/// some 3/d.
TEST(PoolingFixedLength, ExperimentsFollowIt) {
  for (const auto& [length, most] : {std::pair<std::size_t, double>{1, .018}, {2, .018}}) {
    PoolingExperimentOptions options;
    options.d = 300;
    options.instances = 4;
    options.fixed_length = true;
    const PoolingExperiment experiment =
        simulate_pooling({.5, .5}, 0, power(0, 0, length), equal_weights(length), options);
    ASSERT_TRUE(experiment.fixed_length_distance);
    EXPECT_LT(experiment.fixed_length_distance->value, most);
    if (length == 1) {
      EXPECT_GT(experiment.kolmogorov_distance.value, .03);
    }
  }
  PoolingExperimentOptions options;
  options.d = 200;
  options.instances = 3;
  options.fixed_length = true;
  const PoolingExperiment square = simulate_pooling({1, 1}, 0, power(0, 0, 2), equal_weights(2), options);
  const auto eigenvalues = square.eigenvalues();
  const auto zeros = std::count(eigenvalues.begin(), eigenvalues.end(), 0.0);
  EXPECT_NEAR(static_cast<double>(zeros) / static_cast<double>(eigenvalues.size()), .162, .03);
  EXPECT_GT(square.kolmogorov_distance.value, .1);
  EXPECT_LT(square.fixed_length_distance->value, .04);
}

TEST(PoolingSimulation, HasTheSameBitsOnAnyNumberOfThreads) {
  const PoolingExperiment one = simulate(kVisible[5], 60, 3, 9, 1), two = simulate(kVisible[5], 60, 3, 9, 2);
  EXPECT_EQ(one.eigenvalues(), two.eigenvalues());
  EXPECT_EQ(one.sample.alignment.value, two.sample.alignment.value);
}

TEST(PoolingSimulation, RefusesWhatCannotBeDrawn) {
  const SignCorrelations correlations = power(0.3, 0, 4);
  const auto refuses = [&](const PoolingExperimentOptions& options, const PoolingRatios& ratios, const char* named) {
    EXPECT_THAT([&] { simulate_pooling(ratios, 1, correlations, mean_weights(4), options); },
                ThrowsMessage<std::invalid_argument>(HasSubstr(named)));
  };
  refuses({.d = 1}, {0.5, 0.5}, "d must be");
  refuses({.d = 20, .instances = 0}, {0.5, 0.5}, "instances");
  refuses({.d = 20}, {50, 0.5}, "delta");
  refuses({.d = 20}, {0.5, 50}, "gamma");
  EXPECT_THROW(simulate_pooling({0.5, 0.5}, 1, correlations, mean_weights(3), {.d = 20}), std::invalid_argument);
  EXPECT_THROW(simulate_pooling({1e-2, 0.5}, 1, correlations, mean_weights(4), {.d = 4000000}), base::MemoryError);
  // a correlation matrix, but of no Gaussian signs
  Eigen::MatrixXd R = Eigen::MatrixXd::Constant(3, 3, -0.5);
  R.diagonal().setOnes();
  EXPECT_THAT(
      [&] {
        simulate_pooling({0.5, 0.5}, 1, SignCorrelations(SignCorrelations::General{R}), mean_weights(3), {.d = 20});
      },
      ThrowsMessage<std::invalid_argument>(HasSubstr("sin(pi R/2)")));
}

/// The Kolmogorov distances and the outliers of the reference at d = 800.
TEST(PoolingSimulation, SlowDistancesAreThoseOfTheReference) {
  const std::pair<PoolingRatios, double> rows[] = {{{0.5, 0.5}, 0.0048}, {{0.5, 0.25}, 0.0046}, {{0.2, 0.1}, 0.0042},
                                                   {{2, 0.5}, 0.0051},   {{0.5, 2}, 0.0042},    {{1, 1}, 0.0046},
                                                   {{1, 0.5}, 0.0043}};
  std::uint64_t seed = 40;
  for (const auto& [ratios, reference] : rows) {
    const PoolingExperiment experiment = simulate({"bulk", ratios, 0, "power:0,0", "mean"}, 800, 2, seed++);
    EXPECT_LT(experiment.kolmogorov_distance.value, 1.3 * reference) << ratios.delta << " " << ratios.gamma;
  }
}

TEST(PoolingSimulation, SlowOutliersAgreeAtLargeDimension) {
  std::uint64_t seed = 60;
  for (const Setting& setting : kVisible) {
    SCOPED_TRACE(setting.name);
    constexpr std::size_t kDimension = 800;
    const PoolingExperiment experiment = simulate(setting, kDimension, 8, seed++);
    const PoolingPrediction prediction = predict(setting);
    expect_agreement(experiment.sample.eigenvalue, prediction.sample.spike.eigenvalue, kDimension, "eigenvalue");
    EXPECT_NEAR(experiment.sample.alignment.value, prediction.sample.alignment,
                5.0 / kDimension + 3.5 * experiment.sample.alignment.standard_error);
  }
}

}  // namespace
}  // namespace attnlaw::laws
