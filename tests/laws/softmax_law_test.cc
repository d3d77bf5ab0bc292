/// The law of softmax attention at initialisation: reference values, identities, and simulations.

#include "attnlaw/laws/softmax/softmax_law.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <complex>
#include <limits>
#include <random>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "attnlaw/laws/softmax/finite_size.h"
#include "attnlaw/laws/softmax/simulation.h"
#include "attnlaw/matrix_laws/law_difference.h"
#include "attnlaw/matrix_laws/standard_laws.h"

namespace attnlaw::laws {

void PrintTo(const SoftmaxParameters& p, std::ostream* out) {
  *out << "beta " << p.beta << ", rho " << p.rho << ", tau " << p.tau;
}

namespace {

using Complex = std::complex<double>;

/// τ = 0: orthonormal tokens.
SoftmaxParameters parameters(double beta, double rho, double tau = 0) {
  return {beta, rho, tau > 0 ? TokenModel::gaussian : TokenModel::orthonormal, tau};
}

/// Figures printed to so many digits after the point agree with the value.
void expect_printed(double printed, double value, int digits, const char* what) {
  EXPECT_NEAR(value, printed, 0.51 * std::pow(10, -digits) + 1e-12 * std::abs(value)) << what;
}

// ---- reference values ---------------------------------------------------------------------------------------------

/// From a converged solver of the equations, checked there against a fixed-point map at complex z.
struct Reference {
  SoftmaxParameters parameters;
  double t_edge, edge_squared, edge;
  std::array<double, 3> moments;
  double density_at_zero;
  double kolmogorov, wasserstein_squared, wasserstein;
  std::array<double, 5> density;  // of λ at kFractions of λ₊
  std::array<double, 5> cdf;
};
constexpr std::array kFractions = {0.05, 0.25, 0.5, 0.75, 0.95};

const Reference kReferences[] = {
    {parameters(.5, 1),
     0.4850330761,
     1.7905881064,
     1.3381285837,
     {0.28402542, 0.22384087, 0.23669680},
     1.91255116,
     0.11476502,
     0.0722934,
     0.0714414,
     {1.85698232, 0.44984631, 0.20634480, 0.10348533, 0.03779131},
     {0.46714010, 0.76851254, 0.90485451, 0.97212587, 0.99778418}},
    {parameters(1, 1),
     0.4248446332,
     9.0095425504,
     3.0015900037,
     {1.71828183, 6.90498488, 36.67576153},
     0.56278336,
     0.04781817,
     0.2155238,
     0.0792014,
     {0.37689181, 0.11094907, 0.05037430, 0.02491930, 0.00902714},
     {0.36486047, 0.71548639, 0.88426013, 0.96636273, 0.99733864}},
    {parameters(1.5, 1),
     0.2686328564,
     36.5899769884,
     6.0489649518,
     {8.48773584, 149.14581926, 3326.55848170},
     0.22517028,
     0.01052256,
     0.2446860,
     0.0394111,
     {0.08017232, 0.03021007, 0.01614345, 0.00857200, 0.00318710},
     {0.30083493, 0.63873221, 0.84152924, 0.95235473, 0.99617755}},
    {parameters(1, .5),
     0.4847533525,
     7.9841533454,
     2.8256244169,
     {1.71828183, 6.40498488, 30.77091604},
     0.52621210,
     0.02530245,
     0.1145862,
     0.0422779,
     {0.39012287, 0.13410882, 0.06696000, 0.03452337, 0.01273607},
     {0.32539483, 0.66972667, 0.85955999, 0.95831494, 0.99666789}},
    {parameters(.5, 10),
     0.1989912790,
     5.4819350651,
     2.3413532551,
     {0.28402542, 0.78634087, 2.74215759},
     3.27686237,
     0.49793215,
     0.3348997,
     0.2866830,
     {0, 0.03873513, 0.02594952, 0.01437252, 0.00547067},
     {0.90000000, 0.91539457, 0.96062299, 0.98789243, 0.99901484}},
    {parameters(.5, 1, 1),
     0.2482481845,
     3.1373535041,
     1.7712576052,
     {0.28402542, 0.34884087, 0.62159087},
     2.46119506,
     0.23356395,
     0.1561052,
     0.1445185,
     {0.91397196, 0.14892525, 0.05998236, 0.02794755, 0.00978025},
     {0.67083918, 0.87982526, 0.95400051, 0.98708514, 0.99899896}},
    {parameters(1, 1, 1),
     0.2405357791,
     14.0613623364,
     3.7498483085,
     {1.71828183, 8.90498488, 68.29514347},
     0.62306681,
     0.09987919,
     0.5120448,
     0.1729576,
     {0.30778473, 0.04837625, 0.01664148, 0.00735864, 0.00251823},
     {0.49316599, 0.84558612, 0.94485879, 0.98493092, 0.99884677}},
};

TEST(SoftmaxLaw, ReferenceValuesToTheirPrintedDigits) {
  for (const Reference& reference : kReferences) {
    SCOPED_TRACE(testing::PrintToString(reference.parameters));
    const SoftmaxLaw law(reference.parameters);
    expect_printed(reference.t_edge, law.edge_parameter(), 10, "t at the edge");
    expect_printed(reference.edge_squared, law.edge() * law.edge(), 10, "edge of λ");
    expect_printed(reference.edge, law.edge(), 10, "edge of s");
    expect_printed(reference.density_at_zero, law.density_at_zero(), 8, "density at 0");
    for (std::size_t k = 0; k < 3; ++k) expect_printed(reference.moments[k], law.moments()[k], 8, "moment");
    for (std::size_t k = 0; k < kFractions.size(); ++k) {
      const double lambda = kFractions[k] * law.edge() * law.edge();
      expect_printed(reference.density[k], law.squared().density(lambda), 8, "density");
      expect_printed(reference.cdf[k], law.squared().cdf(lambda), 8, "distribution function");
      expect_printed(reference.density[k], law.density(std::sqrt(lambda)) / (2 * std::sqrt(lambda)), 8, "density of s");
    }
    EXPECT_FALSE(law.outlier(column_strength(reference.parameters)).has_value());
  }
}

TEST(SoftmaxLaw, DistancesToMarchenkoPasturToTheirPrintedDigits) {
  for (const Reference& reference : kReferences) {
    SCOPED_TRACE(testing::PrintToString(reference.parameters));
    const MarchenkoPasturDistance distance = marchenko_pastur_distance(SoftmaxLaw(reference.parameters));
    expect_printed(reference.kolmogorov, distance.kolmogorov, 8, "Kolmogorov");
    EXPECT_NEAR(distance.wasserstein_squared, reference.wasserstein_squared, 1.1e-7);  // integrated there on a grid
    EXPECT_NEAR(distance.wasserstein, reference.wasserstein, 1.1e-7);
  }
}

TEST(SoftmaxLaw, DistanceToMarchenkoPasturAlongBeta) {
  const std::vector<std::array<double, 3>> published{{.05, 0, 0.154777},  {.25, 0, 0.143746}, {.75, 0, 0.079621},
                                                     {1.25, 0, 0.024386}, {2, 0, 0.000905},   {2.5, 0, 0.000023},
                                                     {.05, 1, 0.324028},  {.25, 1, 0.297416}, {.75, 1, 0.162179},
                                                     {1.25, 1, 0.053551}, {2, 1, 0.002921}};
  for (const auto& [beta, tau, kolmogorov] : published)
    expect_printed(kolmogorov, marchenko_pastur_distance(SoftmaxLaw(parameters(beta, 1, tau))).kolmogorov, 6, "KS");
}

/// (β, ρ, τ) = (0.5, 10, 5) has a gap of 0.012 between its bands, and many complex roots beside the right one.
TEST(SoftmaxLaw, TwoBands) {
  struct Case {
    SoftmaxParameters parameters;
    double first_upper, second_lower, second_upper, second_mass;
    int digits;
  };
  const Case cases[] = {{parameters(.5, 10), 0.34968813, 0.94638785, 2.34135326, 0.1, 8},
                        {parameters(1, 20), 1.65039, 3.31002, 6.07666, 0.05, 5},
                        {parameters(.5, 10, 5), 0.34846006, 0.36033796, 3.56498091, 0.1, 8}};
  for (const Case& c : cases) {
    SCOPED_TRACE(testing::PrintToString(c.parameters));
    const SoftmaxLaw law(c.parameters);
    ASSERT_EQ(law.bands().size(), 2u);
    EXPECT_EQ(law.bands()[0].support.lower, 0);
    expect_printed(c.first_upper, law.bands()[0].support.upper, c.digits, "upper end of the noise");
    expect_printed(c.second_lower, law.bands()[1].support.lower, c.digits, "lower end of the signal");
    expect_printed(c.second_upper, law.bands()[1].support.upper, c.digits, "edge");
    EXPECT_NEAR(law.bands()[0].mass, 1 - c.second_mass, 1e-15);
    EXPECT_NEAR(law.bands()[1].mass, c.second_mass, 1e-15);
    EXPECT_EQ(law.density(0.5 * (c.first_upper + c.second_lower)), 0);
    EXPECT_LT(law.squared().quadrature().error(), 1e-12);
  }
}

/// The band splits beyond ρ = 2.49463 (β = 0.5) and 5.03376 (β = 1).
TEST(SoftmaxLaw, SplitsWhereItShould) {
  for (const auto& [beta, rho] : {std::pair{0.5, 2.49463}, {1.0, 5.03376}}) {
    EXPECT_EQ(SoftmaxLaw(parameters(beta, rho - 1e-5)).bands().size(), 1u);
    EXPECT_EQ(SoftmaxLaw(parameters(beta, rho + 1e-5)).bands().size(), 2u);
  }
  for (const double tau : {0.2, 1.0, 3.0, 30.0})  // never for ρ ≤ max(1, τ)
    EXPECT_EQ(SoftmaxLaw(parameters(0.05, std::max(1.0, tau), tau)).bands().size(), 1u) << tau;
}

TEST(SoftmaxLaw, OutlierOfTheColumnTerm) {
  const SoftmaxParameters visible = parameters(2, 15);
  const SoftmaxLaw law(visible);
  expect_printed(15.9487080, law.edge(), 7, "edge");
  const auto outlier = law.outlier(column_strength(visible));
  ASSERT_TRUE(outlier.has_value());
  expect_printed(262.8425241, *outlier * *outlier, 7, "outlier");
}

/// Orthonormal tokens: visible for β² > 2 and ρ > ρ_c = 2ω²/β⁴ + 2(β²+2)/(β²−2)².
TEST(SoftmaxLaw, OutlierThreshold) {
  const auto visible = [](double beta, double rho) {
    return SoftmaxLaw(parameters(beta, rho)).outlier(column_strength(parameters(beta, rho))).has_value();
  };
  for (const auto& [beta, critical, precision] : {std::tuple{1.5, 138.464, 1e-3},
                                                  {1.6, 31.9429, 1e-4},
                                                  {1.75, 12.6619, 1e-4},
                                                  {1.95703, 9.10350, 1e-5},
                                                  {2.0, 9.19977, 1e-5},
                                                  {2.5, 27.0646, 1e-4}}) {
    EXPECT_FALSE(visible(beta, critical - precision)) << beta;
    EXPECT_TRUE(visible(beta, critical + precision)) << beta;
  }
  for (const double rho : {1.0, 100.0, 1e4}) EXPECT_FALSE(visible(1.41, rho)) << rho;
}

// ---- identities ---------------------------------------------------------------------------------------------------

/// Parameters over the whole range, orthonormal and Gaussian by turns.
std::vector<SoftmaxParameters> random_parameters(int count) {
  std::mt19937_64 engine(11);
  const auto between = [&](double low, double high) {
    return low * std::pow(high / low, std::uniform_real_distribution<double>(0, 1)(engine));
  };
  std::vector<SoftmaxParameters> all;
  for (int i = 0; i < count; ++i) {
    const double beta = between(0.003, 4), rho = between(0.01, 300);
    all.push_back(parameters(beta, rho, i % 3 == 0 ? 0 : between(1e-3, 300)));
  }
  return all;
}

TEST(SoftmaxLaw, MassAndMomentsAreThoseOfTheFreeCumulants) {
  for (const SoftmaxParameters& p : random_parameters(300)) {
    const SoftmaxLaw law(p);
    const auto quadrature = law.squared().quadrature();
    EXPECT_LT(quadrature.error(), 1e-10) << testing::PrintToString(p);
    double third = 0;
    for (const auto& node : quadrature.nodes) third += node.weight * node.x * node.x * node.x;
    EXPECT_NEAR(third, law.moments()[2], 1e-9 * law.moments()[2]) << testing::PrintToString(p);
  }
}

/// t = (s − ω²h)h − 1 solves t = β²h²(1+ρt)(1+τt)², in the half planes that single out one root.
TEST(SoftmaxLaw, SolvesItsEquations) {
  for (const SoftmaxParameters& p : random_parameters(60)) {
    const SoftmaxLaw law(p);
    const double noise = law.model().noise, tau = law.model().tau;
    for (const auto& band : law.bands())
      for (const double share : {0.01, 0.3, 0.5, 0.9, 0.999}) {
        const double s = band.support.lower + share * (band.support.upper - band.support.lower);
        const Complex h = law.stieltjes(s), t = (s - noise * h) * h - 1.0, chain = 1.0 + tau * t;
        const Complex expected = p.beta * p.beta * h * h * (1.0 + p.rho * t) * chain * chain;
        // The growth of the rounding of t, a difference, in a hole that the noise fills: 1 + ρt or 1 + τt is small.
        const double condition = 1 + std::abs(expected * (p.rho / (1.0 + p.rho * t) + 2 * tau / chain));
        EXPECT_LT(std::abs(t - expected), 1e-13 * condition * (1 + std::abs(s * h)))
            << testing::PrintToString(p) << " s " << s;
        EXPECT_LT(h.imag(), 0);
        EXPECT_LT((h * chain).imag(), 0);
        EXPECT_LT((t / (h * chain)).imag(), 0);
      }
  }
}

/// The closed form of orthonormal tokens, and the density that h stands for.
TEST(SoftmaxLaw, OrthonormalTokensSolveTheQuartic) {
  for (const auto& [beta, rho] : {std::pair{0.5, 1.0}, {1.0, 0.3}, {0.1, 4.0}, {2.0, 50.0}}) {
    const SoftmaxLaw law(parameters(beta, rho));
    for (const auto& band : law.bands()) {
      const double s = 0.5 * (band.support.lower + band.support.upper);
      const Complex h = law.stieltjes(s);
      const double square = beta * beta;
      EXPECT_LT(std::abs(1.0 / h + law.model().noise * h + square * h / (1.0 - rho * square * h * h) - s), 1e-13 * s);
      EXPECT_DOUBLE_EQ(law.density(s), -2 / M_PI * h.imag());
    }
  }
}

TEST(SoftmaxLaw, FewGaussianTokensAreOrthonormal) {
  const SoftmaxLaw gaussian(parameters(0.7, 2, 1e-9)), orthonormal(parameters(0.7, 2));
  EXPECT_NEAR(gaussian.edge(), orthonormal.edge(), 1e-8);
  for (const double s : {0.1, 0.5, 1.3}) EXPECT_NEAR(gaussian.density(s), orthonormal.density(s), 1e-7);
}

/// β → 0: the law of λ/β² is that of a product of Gaussian matrices, with edge 27/4 or 5⁵/4⁴.
TEST(SoftmaxLaw, SmallBetaIsAProductOfGaussianMatrices) {
  const double beta = 1e-3;
  EXPECT_NEAR(std::pow(SoftmaxLaw(parameters(beta, 1)).edge() / beta, 2), 27.0 / 4, 1e-5);
  EXPECT_NEAR(std::pow(SoftmaxLaw(parameters(beta, 1, 1)).edge() / beta, 2), 3125.0 / 256, 1e-5);
}

TEST(SoftmaxLaw, LargeBetaIsMarchenkoPastur) {
  const MarchenkoPasturDistance distance = marchenko_pastur_distance(SoftmaxLaw(parameters(3.5, 1, 1)));
  EXPECT_LT(distance.kolmogorov, 1e-6);
  for (const SoftmaxParameters& p : random_parameters(50))
    EXPECT_GE(SoftmaxLaw(p).edge(), 2 * std::sqrt(entry_variance(p.beta)) * (1 - 1e-15)) << testing::PrintToString(p);
}

/// 0 ↔ the quadratic of orthonormal tokens, and the limit of the density.
TEST(SoftmaxLaw, DensityAtZero) {
  for (const auto& [beta, rho] : {std::pair{0.5, 1.0}, {1.0, 20.0}, {0.2, 0.1}}) {
    const SoftmaxLaw law(parameters(beta, rho));
    const double noise = law.model().noise, square = beta * beta, v0 = std::pow(M_PI / 2 * law.density_at_zero(), 2);
    EXPECT_NEAR(noise * rho * square * v0 * v0 + (noise + square - rho * square) * v0 - 1, 0, 1e-9 * rho * square * v0);
  }
  for (const SoftmaxParameters& p : {parameters(0.5, 1, 1), parameters(1, 3, 0.2), parameters(0.5, 10, 5)}) {
    const SoftmaxLaw law(p);
    EXPECT_NEAR(law.density(1e-7 * law.edge()), law.density_at_zero(), 1e-5 * law.density_at_zero());
  }
}

TEST(SoftmaxLaw, CurveIsTheDensityAndIntegratesToOne) {
  for (const SoftmaxParameters& p : {parameters(0.5, 1), parameters(0.5, 10), parameters(1, 1, 1)}) {
    const SoftmaxLaw law(p);
    const SoftmaxLaw::Curve curve = law.density_curve(400);
    EXPECT_NEAR(static_cast<double>(curve.s.size()), 400, 2);
    EXPECT_TRUE(std::is_sorted(curve.s.begin(), curve.s.end()));
    double integral = 0;
    for (std::size_t i = 1; i < curve.s.size(); ++i)
      integral += 0.5 * (curve.density[i] + curve.density[i - 1]) * (curve.s[i] - curve.s[i - 1]);
    EXPECT_NEAR(integral, 1, 1e-3);
    for (std::size_t i = 7; i < curve.s.size(); i += 50)
      EXPECT_NEAR(curve.density[i], law.density(curve.s[i]), 1e-12 * curve.density[0]);
  }
}

/// Where a band of signal begins with next to no density, and iterations take too long to tell its lower half plane.
TEST(SoftmaxLaw, OfManyTokensInASmallModelIsSolved) {
  const SoftmaxLaw law(parameters(1.32, 269.6, 159.7));
  ASSERT_EQ(law.bands().size(), 2U);
  EXPECT_LT(law.squared().quadrature().error(), 1e-7);
}

TEST(SoftmaxLaw, RefusesParametersOutOfRange) {
  const auto refused = [](const SoftmaxParameters& p, const std::string& named) {
    try {
      linear_model(p);
      ADD_FAILURE() << testing::PrintToString(p);
    } catch (const std::invalid_argument& error) {
      EXPECT_NE(std::string(error.what()).find(named), std::string::npos) << error.what();
    }
  };
  const double nan = std::numeric_limits<double>::quiet_NaN();
  for (const double bad : {0.0, -1.0, nan, std::numeric_limits<double>::infinity(), 10.5})
    refused(parameters(bad, 1), "beta");
  for (const double bad : {0.0, -1.0, nan, std::numeric_limits<double>::infinity()}) refused(parameters(1, bad), "rho");
  for (const double bad : {0.0, -0.5, nan}) refused({1, 1, TokenModel::gaussian, bad}, "tau");
  refused({1, 1, TokenModel::orthonormal, 1.5}, "1.5");
  EXPECT_THROW(SoftmaxLaw(LinearModel{1, 1, 0.5, 1, {{1, 1}}}), std::invalid_argument);
  EXPECT_THROW(SoftmaxLaw(LinearModel{1, 1, 0, 0, {}}), std::invalid_argument);
  EXPECT_THROW(SoftmaxLaw(parameters(1, 1)).stieltjes(5), std::domain_error);
}

// ---- finite size --------------------------------------------------------------------------------------------------

TEST(FiniteSize, CriteriaOfTheNote) {
  // ε_L = 7e-11, 7e-3, 0.21 at T = 1000
  EXPECT_NEAR(finite_size(parameters(0.5, 1), 1000).tail_share, 7e-11, 0.5e-11);
  EXPECT_NEAR(finite_size(parameters(1, 1), 1000).tail_share, 7e-3, 0.5e-3);
  EXPECT_NEAR(finite_size(parameters(1.5, 1), 1000).tail_share, 0.21, 0.005);
  EXPECT_NEAR(finite_size(parameters(1, 1), 1000).edge_from, 1.2e5, 0.1e5);
  EXPECT_NEAR(finite_size(parameters(1, 1), 1000).mean, 1.698, 5e-4);
  EXPECT_TRUE(finite_size(parameters(0.5, 1), 1000).edge_visible);
  EXPECT_FALSE(finite_size(parameters(1, 1), 1000).edge_visible);
  EXPECT_TRUE(finite_size(parameters(1, 1), 1000).bulk_visible);
  EXPECT_FALSE(finite_size(parameters(2, 1), 1000).bulk_visible);
  EXPECT_TRUE(std::isnan(finite_size(parameters(1.5, 1), 1000).mean));
  EXPECT_THROW(finite_size(parameters(1, 1), kLeastLength - 1), std::invalid_argument);
  EXPECT_THROW(finite_size(parameters(1, 1000), 100), std::invalid_argument);  // m = 0
}

TEST(FiniteSize, RefinementsTendToTheLimit) {
  const SoftmaxParameters p = parameters(0.5, 4);
  const double limit = SoftmaxLaw(p).edge();
  double last_tail = 1, last_head = 1;
  for (const int length : {64, 1024, 16384, 262144}) {
    const double tail = std::abs(SoftmaxLaw(truncated_tail_model(p, length)).edge() - limit);
    const double head = std::abs(SoftmaxLaw(small_head_model(p, length)).edge() - limit);
    EXPECT_LT(tail, last_tail + 1e-12);
    EXPECT_LT(head, 0.5 * last_head);
    last_tail = tail, last_head = head;
  }
  EXPECT_LT(last_tail, 1e-6);
  EXPECT_LT(last_head, 1e-4);
}

/// The orders of the exponential move from noise to features and keep their variance; the bands their ranks.
TEST(FiniteSize, SmallHeadsSplitTheLawByOrders) {
  const LinearModel model = small_head_model(parameters(0.5, 100), 1000);  // m = 10
  EXPECT_NEAR(model.variance(), entry_variance(0.5), 1e-15);
  ASSERT_GE(model.features.size(), 3u);
  EXPECT_NEAR(model.features[0].variance, std::pow(0.5, 4) / 2, 1e-16);
  EXPECT_NEAR(model.features[0].ratio, 1000.0 / 55, 1e-12);
  const SoftmaxLaw law(model);
  EXPECT_LT(law.squared().quadrature().error(), 1e-10);
  ASSERT_EQ(law.bands().size(), 4u);
  EXPECT_NEAR(law.bands()[3].mass, 0.01, 1e-12);   // m/T
  EXPECT_NEAR(law.bands()[2].mass, 0.055, 1e-12);  // m(m+1)/2T
  EXPECT_NEAR(law.bands()[1].mass, 0.22, 1e-12);   // m(m+1)(m+2)/6T
  EXPECT_THROW(small_head_model(parameters(1, 1, 1), 1000), std::invalid_argument);
}

/// With all orders but the first in free matrices of iid-like features the law is still that of its cumulants.
TEST(FiniteSize, RefinedLawsKeepMassAndMoments) {
  for (const double rho : {1.0, 10.0, 50.0, 500.0})
    for (const double beta : {0.1, 0.5, 1.0, 2.0})
      EXPECT_LT(SoftmaxLaw(small_head_model(parameters(beta, rho), 1000)).squared().quadrature().error(), 1e-9)
          << beta << " " << rho;
}

// ---- simulations --------------------------------------------------------------------------------------------------

struct Simulated {
  AttentionSimulation simulation;
  AttentionComparison comparison;
};

Simulated simulated(const SoftmaxParameters& p, int length, int instances) {
  SimulationOptions options;
  options.length = length;
  options.instances = instances;
  AttentionSimulation simulation = simulate_attention(p, options);
  return {simulation, compare(simulation, SoftmaxLaw(simulation.parameters))};
}

/// The first moment within 5/T (relative) and 3.5 standard errors of its value with the 1/T term, s₁ within 5/√T and as
/// many, and the Kolmogorov distance within 40 % of what is to be expected, far below that from Marchenko-Pastur.
void expect_agreement(const SoftmaxParameters& p, int length, int instances) {
  SCOPED_TRACE(testing::PrintToString(p) + " at T = " + std::to_string(length));
  const auto [simulation, comparison] = simulated(p, length, instances);
  const FiniteSize size = finite_size(p, length);
  const base::Estimate& mean = comparison.moments[0];
  EXPECT_NEAR(mean.value, size.mean, 5.0 / length * size.mean + 3.5 * mean.standard_error);
  const double excess = leading_singular_value_excess(simulation.parameters, length);
  EXPECT_NEAR(comparison.leading_excess.value, excess,
              5 / std::sqrt(length) * excess + 3.5 * comparison.leading_excess.standard_error);
  EXPECT_LT(comparison.kolmogorov, 1.4 * size.expected_kolmogorov);
  EXPECT_GT(comparison.kolmogorov, 0.6 * size.expected_kolmogorov);
  EXPECT_GT(comparison.marchenko_pastur, 2.5 * comparison.kolmogorov);
}

TEST(SoftmaxSimulation, FollowsTheLaw) {
  expect_agreement(parameters(0.5, 1), 500, 3);
  expect_agreement(parameters(0.5, 4), 500, 3);
  expect_agreement(parameters(0.5, 1, 1), 500, 3);
  expect_agreement(parameters(0.75, 2), 500, 3);
}

/// The published table at T = 1000: Kolmogorov distances within 30 %.
TEST(SoftmaxSimulation, KolmogorovDistancesOfTheNoteSlow) {
  struct Case {
    SoftmaxParameters parameters;
    int length, draws;
    double kolmogorov, marchenko_pastur, top;
  };
  const Case cases[] = {{parameters(0.5, 1), 1000, 4, 0.0030, 0.1175, 1.330},
                        {parameters(1, 1), 1000, 4, 0.0153, 0.0620, 3.185},
                        {parameters(1.5, 1), 1000, 4, 0.0778, 0.0880, 11.1},
                        {parameters(1, 2), 1000, 3, 0.0231, 0.1049, 3.502},
                        {parameters(1, 0.5), 1000, 3, 0.0126, 0.0378, 2.943},
                        {parameters(0.5, 4), 1000, 3, 0.0173, 0.3805, 1.763},
                        {parameters(0.5, 10), 1000, 3, 0.0488, 0.4702, 2.310},
                        {parameters(0.5, 1, 1), 1000, 3, 0.0065, 0.2347, 1.752},
                        {parameters(1, 1, 1), 1000, 3, 0.0234, 0.1171, 3.785},
                        {parameters(1.5, 1, 1), 1000, 3, 0.0888, 0.1113, 10.3},
                        {parameters(0.5, 1, 2), 1000, 3, 0.0138, 0.3192, 2.058},
                        {parameters(0.7, 2, 0.5), 800, 3, 0.0161, 0.1929, 2.490}};
  for (const Case& c : cases) {
    SCOPED_TRACE(testing::PrintToString(c.parameters));
    const AttentionComparison comparison = simulated(c.parameters, c.length, c.draws).comparison;
    // A shift of the measured distribution function moves both distances alike: one allowance, beside the rounding of
    // what is printed, for both.
    const double allowance = 0.3 * c.kolmogorov, rounding = 0.5e-4;
    EXPECT_NEAR(comparison.kolmogorov, c.kolmogorov, allowance + rounding);
    EXPECT_NEAR(comparison.marchenko_pastur, c.marchenko_pastur, allowance + rounding);
    if (c.parameters.beta < 1) {
      EXPECT_NEAR(comparison.largest.value, c.top, 0.03 * c.top);
    }
  }
}

/// The expected distances against those measured elsewhere (T = 250 to 2000, both models of the tokens): one
/// formula for all of them, none further off than 30 %, most within 15 %. Left out is β = 0.5 at T = 2000: that table
/// has the distance of one matrix there (OneMatrixIsFurtherFromTheLawThanSeveralSlow).
TEST(FiniteSize, ExpectedDistancesAreThoseMeasuredElsewhere) {
  struct Case {
    SoftmaxParameters parameters;
    int length;
    double measured;
  };
  const Case cases[] = {
      {parameters(.5, 1), 250, .0097},      {parameters(.5, 1), 500, .0059},     {parameters(.5, 1), 1000, .0035},
      {parameters(1, 1), 250, .0392},       {parameters(1, 1), 500, .0246},      {parameters(1, 1), 1000, .0143},
      {parameters(1, 1), 2000, .0098},      {parameters(1.5, 1), 250, .138},     {parameters(1.5, 1), 500, .104},
      {parameters(1.5, 1), 1000, .075},     {parameters(1.5, 1), 2000, .057},    {parameters(1, 2), 1000, .0231},
      {parameters(1, .5), 1000, .0126},     {parameters(.5, 4), 1000, .0173},    {parameters(.5, 10), 1000, .0488},
      {parameters(.5, 20), 1000, .1286},    {parameters(.5, 1, 1), 1000, .0065}, {parameters(1, 1, 1), 1000, .0234},
      {parameters(1.5, 1, 1), 1000, .0888}, {parameters(.5, 1, 2), 1000, .0138}, {parameters(.7, 2, .5), 800, .0161}};
  std::vector<double> deviations;
  for (const Case& c : cases) {
    const double expected = finite_size(c.parameters, c.length).expected_kolmogorov;
    deviations.push_back(std::abs(expected / c.measured - 1));
    EXPECT_LT(deviations.back(), 0.3) << testing::PrintToString(c.parameters) << " T " << c.length << ": " << expected
                                      << ", not " << c.measured;
  }
  std::nth_element(deviations.begin(), deviations.begin() + std::ssize(deviations) / 2, deviations.end());
  EXPECT_LT(deviations[deviations.size() / 2], 0.15);
}

/// The same against simulations of this program, off the values that the formula was fitted at as well, of as many
/// matrices together as the formula is for: sixteen are closer to the law.
TEST(SoftmaxSimulation, ExpectedDistancesAreThoseMeasuredSlow) {
  constexpr int kMatrices = 4;
  std::vector<double> deviations;
  for (const int length : {250, 500, 1000})
    for (const SoftmaxParameters& p :
         {parameters(.35, 1), parameters(.6, 3), parameters(.8, .7), parameters(1.2, 1), parameters(1.4, 2.5),
          parameters(.4, 8), parameters(.6, 1, .5), parameters(.9, 2, 1), parameters(1.3, .5, 1.5)}) {
      const double expected = finite_size(p, length).expected_kolmogorov;
      const double measured = simulated(p, length, kMatrices).comparison.kolmogorov;
      deviations.push_back(std::abs(std::log(expected / measured)));
      EXPECT_LT(deviations.back(), std::log(1.5))
          << testing::PrintToString(p) << " T " << length << ": " << expected << ", not " << measured;
    }
  std::nth_element(deviations.begin(), deviations.begin() + std::ssize(deviations) / 2, deviations.end());
  EXPECT_LT(deviations[deviations.size() / 2], std::log(1.15));
}

/// The published 0.0026 at T = 2000 is the distance of one matrix; several together come closer to the law, as the
/// diagnosis says.
TEST(SoftmaxSimulation, OneMatrixIsFurtherFromTheLawThanSeveralSlow) {
  const SoftmaxParameters p = parameters(0.5, 1);
  SimulationOptions options;
  options.length = 2000;
  options.instances = 6;
  AttentionSimulation simulation = simulate_attention(p, options);
  const SoftmaxLaw law(p);
  const double together = compare(simulation, law).kolmogorov;
  std::vector<double> single;
  for (const AttentionInstance& instance : std::exchange(simulation.instances, {})) {
    simulation.instances = {instance};
    single.push_back(compare(simulation, law).kolmogorov);
  }
  const base::Estimate one = base::estimate_of(single);
  EXPECT_NEAR(one.value, 0.0026, 0.5e-4 + 3.5 * one.standard_error);
  // The formula is good for 50 %.
  EXPECT_NEAR(std::log(together / finite_size(p, options.length).expected_kolmogorov), 0, std::log(1.5));
  EXPECT_LT(together, one.value - 3.5 * one.standard_error);
}

/// Far in the tail, β = 1.5 and T = 1000, one matrix differs from the next by 0.004 in either distance. Of 24 matrices
/// together, an independent programme (numpy, other random numbers) finds 0.0764 to the law and 0.0426 to the refined
/// one; single runs of four between 0.040 and 0.048.
TEST(SoftmaxSimulation, TailRefinementFarInTheTailSlow) {
  SimulationOptions options;
  options.instances = 24;
  const SoftmaxParameters p = parameters(1.5, 1);
  const AttentionSimulation simulation = simulate_attention(p, options);
  const double scatter = 0.0043 * std::sqrt(2.0 / 24);
  EXPECT_NEAR(compare(simulation, SoftmaxLaw(p)).kolmogorov, 0.0764, 3.5 * scatter);
  const SoftmaxLaw refined(truncated_tail_model(p, options.length));
  EXPECT_NEAR(compare(simulation, refined).kolmogorov, 0.0426, 3.5 * scatter);
}

/// The refinements bring the law closer, as much as the note says.
TEST(SoftmaxSimulation, RefinementsImproveAtFiniteSizeSlow) {
  const auto distances = [](const SoftmaxParameters& p, Refinement refinement, int draws) {
    SimulationOptions options;
    options.instances = draws;
    const AttentionSimulation simulation = simulate_attention(p, options);
    const SoftmaxLaw refined(linear_model(simulation.parameters, refinement, options.length));
    return std::pair{compare(simulation, SoftmaxLaw(p)).kolmogorov, compare(simulation, refined).kolmogorov};
  };
  const auto [tail_limit, tail] = distances(parameters(1, 1), Refinement::tail, 4);
  EXPECT_NEAR(tail_limit, 0.0157, 0.3 * 0.0157);
  EXPECT_NEAR(tail, 0.0104, 0.3 * 0.0104);
  const auto [heavy_limit, heavy] = distances(parameters(1.5, 1), Refinement::tail, 4);
  EXPECT_NEAR(heavy_limit, 0.0777, 0.3 * 0.0777);
  EXPECT_NEAR(heavy, 0.0394, 0.3 * 0.0394);
  const auto [head_limit, head] = distances(parameters(0.5, 10), Refinement::head, 3);
  EXPECT_NEAR(head_limit, 0.0470, 0.3 * 0.0470);
  EXPECT_NEAR(head, 0.0261, 0.3 * 0.0261);
  const auto [smaller_limit, smaller] = distances(parameters(0.5, 20), Refinement::head, 3);
  EXPECT_NEAR(smaller_limit, 0.1286, 0.3 * 0.1286);
  EXPECT_NEAR(smaller, 0.0399, 0.3 * 0.0399);
}

TEST(SoftmaxSimulation, SameBitsOnAnyNumberOfThreads) {
  SimulationOptions options;
  options.length = 64;
  options.instances = 3;
  const auto run = [&](int threads, std::uint64_t seed) {
    options.threads = threads;
    options.seed = seed;
    return compare(simulate_attention(parameters(0.5, 1, 2), options), SoftmaxLaw(parameters(0.5, 1, 2)));
  };
  EXPECT_EQ(run(1, 0).singular_values, run(2, 0).singular_values);
  EXPECT_NE(run(1, 0).singular_values, run(1, 1).singular_values);
}

TEST(SoftmaxSimulation, CentredMatrixHasAZeroSingularValueAndTrimmingDropsTheLargest) {
  const auto [simulation, comparison] = simulated(parameters(1, 1), 128, 2);
  EXPECT_EQ(comparison.singular_values.size(), 256u);
  for (const AttentionInstance& instance : simulation.instances) {
    EXPECT_LT(instance.singular_values.front(), 1e-6);
    const auto& s = instance.singular_values;
    double sum = 0;
    for (std::size_t i = 0; i + 3 < s.size(); ++i) sum += s[i] * s[i];
    EXPECT_NEAR(instance.trimmed_moments[0], sum / 125, 1e-12);
  }
}

TEST(SoftmaxSimulation, RefusesWhatItCannotRun) {
  SimulationOptions options;
  options.instances = 0;
  EXPECT_THROW(simulate_attention(parameters(1, 1), options), std::invalid_argument);
  options.instances = 1;
  options.length = kMostLength + 1;
  EXPECT_THROW(simulate_attention(parameters(1, 1), options), std::invalid_argument);
  options.length = 100;
  EXPECT_THROW(simulate_attention(parameters(1, 1000), options), std::invalid_argument);  // m = 0
}

}  // namespace
}  // namespace attnlaw::laws
