/// Null laws of query-key maps: limit laws against their closed forms, moments and published figures
/// (docs/theory/query_key_nulls.md).

#include <gtest/gtest.h>

#include <boost/math/quadrature/tanh_sinh.hpp>
#include <cmath>
#include <numbers>

#include "attnlaw/matrix_laws/nulls/edge_tests.h"
#include "attnlaw/matrix_laws/nulls/factor_product.h"
#include "attnlaw/matrix_laws/nulls/multiple_tests.h"
#include "attnlaw/matrix_laws/nulls/spikes.h"
#include "attnlaw/matrix_laws/nulls/symmetric_part.h"
#include "attnlaw/matrix_laws/nulls/tied_factor.h"
#include "attnlaw/matrix_laws/nulls/tracy_widom.h"

namespace attnlaw::matrix_laws {
namespace {

/// One row of the table of reference values.
struct LawRow {
  double beta, lower, upper, transform, coefficient, median, density, mass, second, third, threshold, symmetric_lower,
      symmetric_upper, symmetric_coefficient;
};

constexpr LawRow kLaws[] = {
    {1. / 64, .684442, 1.393622, 5.412376, 8.865234, .987015, 1.794916, .523444, 1.031250, 1.094971, 1.088468, .758334,
     1.257353, .279941},
    {1. / 32, .575070, 1.580935, 3.757805, 4.492792, .974103, 1.265151, .533153, 1.062500, 1.192383, 1.125217, .663591,
     1.367908, .304740},
    {1. / 16, .440352, 1.871171, 2.589454, 2.155008, .948495, .888869, .546878, 1.125000, 1.394531, 1.177362, .535741,
     1.527768, .321964},
    {1. / 12, .378178, 2.036753, 2.212214, 1.557978, .931584, .766473, .554124, 1.166667, 1.534722, 1.205004, .471405,
     1.613743, .325930},
    {1. / 8, .287018, 2.334076, 1.765564, .964488, .898150, .620409, .566274, 1.25, 1.828125, 1.251555, .369009,
     1.760173, .327596},
    {1. / 4, .136167, 3.098208, 1.186141, .396780, .800962, .427176, .593655, 1.5, 2.8125, 1.357597, .168375, 2.099798,
     .318253},
    {1. / 2, .028350, 4.409150, .780776, .147918, .620762, .285696, .632187, 2, 5.25, 1.510224, 0, 2.598076, .292461},
    {1, 0, 6.75, .5, .049383, .318885, .178979, .685824, 3, 12, 1.732051, 0, 3.330191, .251800}};

constexpr double kDigits = 1e-6;  ///< of figures that are given to six places

TEST(FactorProductLaw, HasItsReferenceValues) {
  for (const LawRow& row : kLaws) {
    SCOPED_TRACE(row.beta);
    const FactorProductLaw law(row.beta);
    EXPECT_NEAR(law.support().lower, row.lower, kDigits);
    EXPECT_NEAR(law.support().upper, row.upper, kDigits);
    EXPECT_NEAR(law.edge_transform(), row.transform, kDigits);
    EXPECT_NEAR(law.edge_coefficient(), row.coefficient, kDigits);
    EXPECT_NEAR(law.quantile(0.5), row.median, kDigits);
    EXPECT_NEAR(law.density(1), row.density, kDigits);
    EXPECT_NEAR(1 - law.mass_above(1), row.mass, kDigits);
    EXPECT_NEAR(law.moment(1), 1, 1e-14);
    EXPECT_NEAR(law.moment(2), row.second, kDigits);
    EXPECT_NEAR(law.moment(3), row.third, kDigits);
    EXPECT_NEAR(spike_threshold(row.beta), row.threshold, kDigits);
  }
}

TEST(FactorProductLaw, DensityIntegratesToMassMomentsAndDistribution) {
  boost::math::quadrature::tanh_sinh<double> integrate;
  for (const double beta : {1.0 / 64, 1.0 / 12, 0.25, 0.5, 1.0}) {
    SCOPED_TRACE(beta);
    const FactorProductLaw law(beta);
    // In t with x = x₋ + t³ the density is bounded also for β = 1.
    const Interval support = law.support();
    const double whole = std::cbrt(support.upper - support.lower);
    const auto mean_of = [&](auto function, double from) {
      return integrate.integrate(
          [&](double t) {
            const double x = support.lower + t * t * t;
            if (x < 1e-30) return 0.0;
            return function(x) * law.density(x) * 3 * t * t;
          },
          from, whole);
    };
    for (int n = 0; n <= 3; ++n)
      EXPECT_NEAR(mean_of([&](double x) { return std::pow(x, n); }, 0), n == 0 ? 1 : law.moment(n),
                  1e-9 * std::pow(7, n));
    for (const double share : {0.1, 0.5, 0.9}) {
      const double from = share * whole, x = support.lower + from * from * from;
      EXPECT_NEAR(mean_of([](double) { return 1.0; }, from), law.mass_above(x), 1e-9);
    }
  }
}

TEST(FactorProductLaw, RefusesHeadsWiderThanTheModel) {
  EXPECT_THROW(FactorProductLaw(1.5), std::invalid_argument);
  EXPECT_THROW(FactorProductLaw(0), std::invalid_argument);
  EXPECT_EQ(FactorProductLaw(0.5).density(5), 0);
  EXPECT_EQ(FactorProductLaw(0.5).mass_above(0.01), 1);
}

TEST(SymmetricPartLaw, HasItsReferenceValues) {
  for (const LawRow& row : kLaws) {
    SCOPED_TRACE(row.beta);
    const SymmetricPartLaw law(row.beta);
    EXPECT_NEAR(law.band().lower, row.symmetric_lower, kDigits);
    EXPECT_NEAR(law.band().upper, row.symmetric_upper, kDigits);
    EXPECT_NEAR(law.edge_coefficient(), row.symmetric_coefficient, kDigits);
    EXPECT_NEAR(law.mass_above(law.band().lower + 1e-9), std::min(0.5, row.beta), 1e-5);
  }
  EXPECT_NEAR(SymmetricPartLaw(0.125).mass_above(1), .0507932, 6e-8);
  EXPECT_NEAR(SymmetricPartLaw(0.125).mass_above(-1), 1 - .0507932, 6e-8);
}

TEST(SymmetricPartLaw, RingOfComplexEigenvalues) {
  EXPECT_NEAR(ring_mass(0.125, 0.2), .3483763, 6e-8);
  EXPECT_NEAR(ring_mass(0.125, 0.3), .7438190, 6e-8);
  EXPECT_NEAR(ring_mass(0.125, std::sqrt(0.125) - 1e-12), 1, 1e-10);
  EXPECT_EQ(ring_mass(0.125, 1), 1);
}

TEST(TiedFactor, MarchenkoPasturInClosedForm) {
  EXPECT_NEAR(1 - tied_mass_above(0.125, 0.9), .4458420, 1e-7);
  boost::math::quadrature::tanh_sinh<double> integrate;
  for (const double beta : {0.05, 0.5, 1.0}) {
    const Interval support = tied_support(beta);
    const double x = 0.3 * support.lower + 0.7 * support.upper;
    const double mass = integrate.integrate([&](double y) { return tied_density(beta, y); }, x, support.upper);
    EXPECT_NEAR(tied_mass_above(beta, x), mass, 1e-9) << beta;
    EXPECT_EQ(tied_density(beta, support.upper * 1.01), 0);
  }
}

TEST(TiedFactor, TieCoefficientInvertsTheSymmetryOfMixedFactors) {
  for (const double square : {0.09, 0.5, 0.9})
    EXPECT_NEAR(tie_coefficient(0.1, square * 1.1 / (1 + 0.1 * square)), square, 1e-14);
}

TEST(TracyWidom, HasItsReferenceValues) {
  constexpr double kPoints[][2] = {{-3, .06960012}, {-2, .27432020}, {-1, .58378990}, {0, .83190807},
                                   {1, .95142124},  {2, .98959757},  {3, .99829348}};
  for (const auto& [s, p] : kPoints) EXPECT_NEAR(tracy_widom_cdf(s), p, 6e-9) << s;
  EXPECT_NEAR(tracy_widom_tail(6), 1.940814e-6, 6e-13);
  constexpr double kQuantiles[][2] = {{.05, -3.180380}, {.25, -2.088148}, {.5, -1.268575},
                                      {.75, -.391994},  {.9, .450143},    {.95, .979316},
                                      {.99, 2.023449},  {.999, 3.272196}, {.9999, 4.359420}};
  for (const auto& [p, s] : kQuantiles) EXPECT_NEAR(tracy_widom_quantile(p), s, 1e-6) << p;
}

TEST(TracyWidom, MeanAndVarianceAreThoseOfTheLaw) {
  // E s = −∫_{−∞}^0 F + ∫_0^∞ (1 − F), and the like for the square, over the range that holds all but 1e-13.
  constexpr int kSteps = 1000;
  constexpr double kLow = -9, kHigh = 15;
  double first = 0, second = 0;
  for (int i = 0; i <= kSteps; ++i) {
    const double s = kLow + (kHigh - kLow) * i / kSteps, weight = (i == 0 || i == kSteps ? 1 : i % 2 ? 4 : 2) / 3.0;
    const double above = tracy_widom_tail(s);
    first += weight * above;
    second += weight * 2 * (s - kLow) * above;
  }
  const double step = (kHigh - kLow) / kSteps, mean = kLow + first * step;
  const double variance = second * step - (mean - kLow) * (mean - kLow);
  EXPECT_NEAR(mean, kTracyWidomMean, 1e-9);
  EXPECT_NEAR(variance, kTracyWidomVariance, 1e-9);
}

TEST(TracyWidom, TailExpansionMeetsTheDeterminant) {
  for (const double s : {4.0 + 1e-9, 4.5, 5.0})
    EXPECT_NEAR(tracy_widom_tail(s) / (1 - tracy_widom_cdf(s)), 1, 1e-8) << s;
  EXPECT_GT(tracy_widom_tail(30), 0);
}

TEST(EdgeTests, CentresAndScalesHaveTheirReferenceValues) {
  struct Row {
    int m, d;
    double centre, scale;
  };
  for (const auto& [m, d, centre, scale] :
       {Row{8, 64, 2.251590, .251412}, Row{15, 120, 2.290050, .166780}, Row{64, 768, 2.029559, .046432},
        Row{64, 1024, 1.865523, .037417}, Row{128, 4096, 1.579291, .014458}}) {
    const EdgeScale edge = factor_product_edge(m, d);
    EXPECT_NEAR(edge.centre / d / d, centre, kDigits);
    EXPECT_NEAR(edge.scale / d / d, scale, kDigits);
  }
}

TEST(EdgeTests, SelfNormalisedScores) {
  EXPECT_NEAR(factor_product_score(8, 64, 3.0 * 64 * 64), 3.785928, kDigits);
  EXPECT_NEAR(edge_p_value(3.785928), 3.4807e-4, 6e-9);
  EXPECT_NEAR(factor_product_score(64, 768, 2.1 * 768 * 768), 1.650975, kDigits);
  EXPECT_NEAR(edge_p_value(1.650975), 1.83896e-2, 6e-8);
  EXPECT_EQ(edge_p_value(200), 1e-12);
}

TEST(EdgeTests, PValuesInterpolateTheTracyWidomTail) {
  for (double s = -7.9; s < 10.7; s += 0.173) EXPECT_NEAR(edge_p_value(s) / tracy_widom_tail(s), 1, 1e-7) << s;
  EXPECT_EQ(edge_p_value(-20), 1);
}

TEST(Spikes, AdditiveOnesHaveTheirReferenceValues) {
  struct Row {
    double beta, theta, position, overlap;
  };
  for (const auto& [beta, theta, position, overlap] :
       {Row{1. / 12, 1.5, 1.6, .826667}, Row{1. / 12, 2, 2.055556, .953704}, Row{1. / 12, 3, 3.03125, .986979},
        Row{1. / 8, 1.5, 1.65, .74}, Row{1. / 8, 2, 2.083333, .930556}, Row{1, 2, 2.666667, .444444},
        Row{1, 3, 3.375, .84375}}) {
    EXPECT_NEAR(spike_position(beta, theta), position, kDigits);
    EXPECT_NEAR(spike_overlap(beta, theta), overlap, kDigits);
    EXPECT_NEAR(spike_strength(beta, spike_position(beta, theta)), theta, 1e-10);
  }
}

TEST(Spikes, ThresholdIsWhereTheSpikeMeetsTheEdge) {
  for (const double beta : {0.01, 0.125, 1.0}) {
    const double theta = spike_threshold(beta) * (1 + 1e-15), position = theta * (1 + beta / (theta * theta - 1));
    EXPECT_NEAR(position * position, FactorProductLaw(beta).support().upper, 1e-12 * position * position);
    EXPECT_TRUE(std::isnan(spike_position(beta, 0.99 * theta)));
    EXPECT_TRUE(std::isnan(spike_strength(beta, 0.99 * position)));
    EXPECT_EQ(spike_overlap(beta, 0.99 * theta), 0);
    EXPECT_NEAR(spike_overlap(beta, theta * (1 + 1e-9)), 0, 1e-7);
  }
}

TEST(Spikes, FactorOnesHaveTheirReferenceValues) {
  struct Row {
    FactorSpike spike;
    double position, query, key;
  };
  for (const auto& [spike, position, query, key] :
       {Row{{1, 1, 1}, 2.083333, .465278, .465278}, Row{{2, .5, 1}, 2.197081, .629252, .314626},
        Row{{2, 1, .5}, 2.083333, .558333, .279167}, Row{{2, 2, .7}, 2.625526, .565451, .565451}}) {
    const SpikeOutlier outlier = spike_outliers(0.125, spike).at(0);
    EXPECT_NEAR(outlier.position, position, kDigits);
    EXPECT_NEAR(outlier.query_overlap, query, kDigits);
    EXPECT_NEAR(outlier.key_overlap, key, kDigits);
    EXPECT_NEAR(spike_alignment(0.125, spike.query, spike.key, outlier.position), spike.alignment * spike.alignment,
                1e-10);
  }
}

TEST(Spikes, UnrelatedFactorsMakeOneOutlierEach) {
  const auto both = spike_outliers(0.125, {2, 1, 0});
  ASSERT_EQ(both.size(), 2U);
  EXPECT_NEAR(both[0].position, std::sqrt(factor_product_position(0.125, 0.5)), 1e-12);
  EXPECT_NEAR(both[1].position, std::sqrt(factor_product_position(0.125, 1)), 1e-12);
  EXPECT_TRUE(spike_outliers(0.125, {0.1, 0.1, 1}).empty());
  EXPECT_TRUE(spike_outliers(0.125, {0, 0, 1}).empty());
}

TEST(Spikes, StrengthOfAFactorInvertsItsEigenvalue) {
  for (const double a : {0.6, 1.0, 4.0}) {
    const double l = 1 + a, beta = 0.125;
    EXPECT_NEAR(factor_spike_strength(beta, l + beta * l / (l - 1)), a, 1e-12);
  }
  EXPECT_TRUE(std::isnan(factor_spike_strength(0.125, 1)));
}

TEST(MultipleTests, AdjustedByHand) {
  const std::vector<double> p{0.01, 0.04, 0.03, std::nan("")};
  const std::vector<double> by_holm = holm(p);
  EXPECT_DOUBLE_EQ(by_holm[0], 0.03);
  EXPECT_DOUBLE_EQ(by_holm[1], 0.06);
  EXPECT_DOUBLE_EQ(by_holm[2], 0.06);
  EXPECT_TRUE(std::isnan(by_holm[3]));
  const std::vector<double> rate = benjamini_yekutieli(p);
  const double harmonic = 1 + 0.5 + 1.0 / 3;
  EXPECT_DOUBLE_EQ(rate[0], 0.03 * harmonic);
  EXPECT_DOUBLE_EQ(rate[1], 0.04 * harmonic);
  EXPECT_DOUBLE_EQ(rate[2], 0.04 * harmonic);
  EXPECT_DOUBLE_EQ(holm(std::vector<double>{0.7, 0.8})[0], 1);
}

}  // namespace
}  // namespace attnlaw::matrix_laws
