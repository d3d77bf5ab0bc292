#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <Eigen/Cholesky>
#include <algorithm>
#include <cmath>
#include <complex>
#include <cstdint>
#include <filesystem>
#include <numbers>
#include <string>

#include "attnlaw/base/estimate.h"
#include "attnlaw/base/file.h"
#include "attnlaw/base/random.h"
#include "attnlaw/laws/filtering/data.h"
#include "attnlaw/laws/filtering/published.h"
#include "attnlaw/laws/filtering/quadratic_form.h"
#include "attnlaw/laws/filtering/ridge.h"
#include "attnlaw/laws/filtering/sequence.h"
#include "attnlaw/laws/filtering/significance.h"
#include "attnlaw/laws/filtering/simulation.h"
#include "attnlaw/laws/filtering/stack.h"
#include "attnlaw/matrix_laws/optimal_denoiser.h"
#include "decompositions.h"
#include "npy_text.h"

namespace attnlaw::laws {
namespace {

using Eigen::ArrayXd;
using Eigen::ArrayXXd;
using Matrix = base::Matrix<double>;
using testing::HasSubstr;
using testing::ThrowsMessage;

WeightLaw signs() { return {(ArrayXd(2) << -1, 1).finished(), ArrayXd::Constant(2, 0.5)}; }

// ---------------------------------------------------------------------------------------------------- the law alone

TEST(LofiLaw, EdgesOfSignsAndOfConstantWeightsAreClosedForms) {
  EXPECT_NEAR(LofiLaw(signs(), 1).upper_edge().eigenvalue, 1.5 * std::sqrt(3), 1e-9);
  EXPECT_NEAR(LofiLaw(signs(), 4).upper_edge().eigenvalue, 1.100917, 5e-7);
  EXPECT_NEAR(LofiLaw(signs(), 16).upper_edge().eigenvalue, 0.514583, 5e-7);
  const WeightLaw ones{ArrayXd::Ones(1), ArrayXd::Ones(1)};
  for (const double delta : {0.3, 1.0, 4.0, 50.0}) {
    EXPECT_NEAR(LofiLaw(ones, delta).upper_edge().eigenvalue, std::pow(1 + 1 / std::sqrt(delta), 2), 1e-9);
    const double lower = delta > 1 ? std::pow(1 - 1 / std::sqrt(delta), 2) : 0;
    EXPECT_NEAR(-LofiLaw(ones.negated(), delta).upper_edge().eigenvalue, lower, 1e-9);
  }
}

TEST(LofiLaw, DensityOfConstantWeightsIsMarchenkoPastur) {
  const WeightLaw ones{ArrayXd::Ones(1), ArrayXd::Ones(1)};
  for (const double delta : {0.3, 4.0}) {
    const LofiLaw law(ones, delta);
    EXPECT_NEAR(law.zero_mass(), std::max(0.0, 1 - delta), 1e-12);
    const double upper = std::pow(1 + 1 / std::sqrt(delta), 2), lower = std::pow(1 - 1 / std::sqrt(delta), 2);
    for (const LofiDensity& point : law.density()) {
      const double inside = std::max(0.0, (upper - point.x) * (point.x - lower));
      EXPECT_NEAR(point.density, delta * std::sqrt(inside) / (2 * std::numbers::pi * point.x), 1e-5) << point.x;
    }
  }
}

TEST(LofiLaw, DensitiesHaveTheMomentsOfTheBulk) {
  for (const char* spec : {"square", "parity", "sine:8,1.5", "staircase:12,1"}) {
    const LofiTarget target = LofiTarget::parse(spec);
    constexpr double kDelta = 7;
    const std::vector<LofiDensity> density = LofiLaw(target.weights(), kDelta).density(2000);
    double mass = 0, mean = 0, square = 0;
    for (std::size_t i = 1; i < density.size(); ++i) {
      const double width = density[i].x - density[i - 1].x, x = 0.5 * (density[i].x + density[i - 1].x);
      ASSERT_GE(width, 0) << spec;
      const double weight = 0.5 * width * (density[i].density + density[i - 1].density);
      mass += weight, mean += weight * x, square += weight * x * x;
    }
    const double first = target.weights().mean(), second = target.weights().second_moment();
    constexpr double kTrapezoid = 2e-5;  // error of the sums at 2000 points
    EXPECT_NEAR(mass, 1, kTrapezoid) << spec;
    EXPECT_NEAR(mean, first, kTrapezoid) << spec;
    EXPECT_NEAR(square, first * first + second / kDelta, kTrapezoid) << spec;
  }
}

/// E[s sᵀ | y] of y = sign(s₁s₂) at the nodes y = −1, 1.
RelevantMoments parity_moments() {
  const double a = 2 / std::numbers::pi;
  return {(ArrayXXd(2, 4) << 1, -a, -a, 1, 1, a, a, 1).finished(), 2};
}

TEST(LofiLaw, ParityEmergesAtItsClosedForms) {
  const double a = 2 / std::numbers::pi;
  const auto plain = emergence_thresholds(signs(), parity_moments());
  EXPECT_NEAR(plain[0].delta, 2.93312, 1e-5);
  EXPECT_TRUE(std::isinf(plain[1].delta));  // the other direction is at the lower end
  EXPECT_NEAR(std::abs(plain[0].direction.sum()), std::sqrt(2), 1e-9);
  const WeightLaw best{(ArrayXd(2) << -a / (1 - a), a / (1 + a)).finished(), ArrayXd::Constant(2, 0.5)};
  EXPECT_NEAR(emergence_thresholds(best, parity_moments())[0].delta, std::pow(std::numbers::pi, 2) / 4, 1e-5);

  const std::vector<double> deltas{4, 6, 10, 20};
  const std::vector<double> overlaps{.24333, .49955, .71309, .86527}, best_overlaps{.4292, .6618, .8206, .9188};
  const std::vector<double> positions{1.1158, .9394, .8090, .7191};
  for (std::size_t i = 0; i < deltas.size(); ++i) {
    const auto seen = LofiLaw(signs(), deltas[i]).outliers(parity_moments());
    ASSERT_EQ(seen.size(), 1U);
    EXPECT_NEAR(seen[0].overlap, overlaps[i], 5e-6);
    EXPECT_NEAR(seen[0].eigenvalue, positions[i], 5e-5);
    EXPECT_NEAR(LofiLaw(best, deltas[i]).outliers(parity_moments()).at(0).overlap, best_overlaps[i], 5e-5);
  }
  EXPECT_TRUE(LofiLaw(signs(), 2.9).outliers(parity_moments()).empty());
}

TEST(LofiLaw, TailOfTracyWidom) {
  EXPECT_NEAR(tracy_widom_tail(0.9793), 0.05001, 5e-5);
  EXPECT_NEAR(tracy_widom_tail(2.0234), 0.00983, 5e-5);
  EXPECT_NEAR(tracy_widom_tail(3.2724), 0.00095, 5e-5);
  EXPECT_NEAR(tracy_widom_tail(tracy_widom_quantile(0.01)), 0.01, 1e-12);
  const LofiEdge edge = LofiLaw(signs(), 5).upper_edge();
  EXPECT_NEAR(outlier_p_value(edge, outlier_threshold(edge, 0.01, 200), 200), 0.01, 1e-12);
}

TEST(LofiLaw, SlopesAreDerivativesAndThresholdsAreWhereOutliersBegin) {
  for (const char* spec : {"square", "parity", "sine:8,1.5", "staircase:12,1", "leap:4"}) {
    const LofiTarget target = LofiTarget::parse(spec);
    const LofiLaw law(target.weights(), 7);
    const double lambda = 1.3 * law.upper_edge().lambda, step = 1e-5 * lambda;
    EXPECT_NEAR(law.psi_slope(lambda), (law.psi(lambda + step) - law.psi(lambda - step)) / (2 * step), 1e-6) << spec;
    EXPECT_NEAR(law.psi_slope(law.upper_edge().lambda), 0, 1e-9) << spec;
    const double threshold = emergence_thresholds(target.weights(), target.moments()).front().delta;
    EXPECT_TRUE(LofiLaw(target.weights(), 0.999 * threshold).outliers(target.moments()).empty()) << spec;
    const auto seen = LofiLaw(target.weights(), 1.001 * threshold).outliers(target.moments());
    ASSERT_FALSE(seen.empty()) << spec;
    EXPECT_LT(seen.front().overlap, 0.01) << spec;
  }
}

TEST(LofiLaw, RefusesWhatIsOutOfRange) {
  EXPECT_THROW(LofiLaw(signs(), 0), std::invalid_argument);
  EXPECT_THROW(LofiLaw(signs(), std::nan("")), std::invalid_argument);
  EXPECT_THROW(WeightLaw(ArrayXd::Zero(3), ArrayXd::Constant(3, 1.0 / 3)), std::invalid_argument);
}

// -------------------------------------------------------------------------------------------------- built-in targets

/// Thresholds and overlaps that follow are those of quadratures of their own, over the coordinates of the target
/// instead of the law of the form.
constexpr double kDigits = 1e-7;

TEST(LofiTarget, SquareEmergesWhereItsQuadratureSays) {
  const LofiTarget square = LofiTarget::parse("square");
  EXPECT_NEAR(emergence_thresholds(square.weights(), square.moments())[0].delta, 0.66121628, kDigits);
  const std::vector<std::pair<double, double>> overlaps{
      {1.2, .18930508}, {1.6, .30061326}, {2.5, .47934407}, {5, .71180278}, {10, .85369807}};
  for (const auto& [delta, overlap] : overlaps)
    EXPECT_NEAR(LofiLaw(square.weights(), delta).outliers(square.moments()).at(0).overlap, overlap, kDigits);
}

TEST(LofiTarget, LawsOfFormsHaveTheMomentsOfForms) {
  for (const std::vector<double>& a : {std::vector<double>{1, -1, 1, -1}, {1, 1, 1, 1, 1}, {1, -.5, .25, -.125, .1}}) {
    const QuadraticFormLaw law = quadratic_form_law(a);
    double squares = 0;
    for (const double x : a) squares += x * x;
    const double norm = std::sqrt(2 * squares), frequency = 1.5;
    // E exp(iωh), and with the weight s_j², which makes s_j² a χ² variable of three degrees of freedom.
    std::complex<double> characteristic = 1;
    for (const double x : a)
      characteristic *= std::exp(std::complex<double>(0, -frequency * x / norm)) /
                        std::sqrt(std::complex<double>(1, -2 * frequency * x / norm));
    const ArrayXd cosine = (frequency * law.h).cos(), sine = (frequency * law.h).sin();
    EXPECT_NEAR((law.probability * cosine).sum(), characteristic.real(), 1e-7);
    EXPECT_NEAR((law.probability * sine).sum(), characteristic.imag(), 1e-7);
    EXPECT_NEAR((law.probability * law.h.square()).sum(), 1, 2e-5);
    for (std::size_t j = 0; j < a.size(); ++j) {
      const ArrayXd square = law.squares.col(static_cast<Eigen::Index>(j));
      const std::complex<double> weighted = characteristic / std::complex<double>(1, -2 * frequency * a[j] / norm);
      EXPECT_NEAR((law.probability * square).sum(), 1, 1e-7);
      EXPECT_NEAR((law.probability * square * cosine).sum(), weighted.real(), 1e-7);
      EXPECT_NEAR((law.probability * square * sine).sum(), weighted.imag(), 1e-7);
    }
  }
}

/// Error of the best function of ĥ for sin(ωh) with four a_j of either sign and equal overlaps ρ: of the sums A, B of
/// ŝ² over either half (both χ²₄), E[y | ŝ] is a function in closed form, and ĥ is their difference.
double depth_two_by_quadrature(double omega, double rho) {
  using Complex = std::complex<double>;
  constexpr double kNorm = 4, kStep = 0.05, kFar = 80;
  const double z = 2 * omega * (1 - rho) / kNorm;
  const Complex up = Complex(0, omega * rho / kNorm) / Complex(1, -z), down = std::conj(up);
  const auto density = [](double a) { return 0.25 * a * std::exp(-0.5 * a); };
  double explained = 0;
  for (double x = 0.5 * kStep; x < kFar; x += kStep) {  // A − B; y is odd in it
    double weight = 0, sum = 0;
    for (double b = 0.5 * kStep; b < kFar; b += kStep) {
      const double w = density(b + x) * density(b);
      weight += w, sum += w * std::exp((b + x) * up + b * down).imag() * std::pow(1 + z * z, -2);
    }
    explained += 2 * kStep * kStep * sum * sum / weight;
  }
  return 1 - explained / (0.5 * (1 - std::pow(1 + omega * omega, -2)));
}

TEST(LofiTarget, ThresholdsOfTheDepthTwoTarget) {
  const LofiTarget sine = LofiTarget::parse("sine:8,1.5");
  EXPECT_NEAR(sine.linear_share(), .3415762226, kDigits);
  const LofiTheory theory = predict_lofi(sine, 100, 16000);
  ASSERT_EQ(theory.directions.size(), 8U);
  // E T² = (1 − φ(3))/2 and θ = Im φ(1.5)/(1 − 0.75i) of the characteristic function φ(ω) = (1 + ω²/4)⁻².
  const double second = 0.5 * (1 - std::pow(1 + 9. / 4, -2)), theta = std::pow(1.5625, -2) * 0.75 / 1.5625;
  EXPECT_NEAR(theory.directions.front().wide_threshold / (100 * second / (theta * theta)), 1, kDigits);
  EXPECT_NEAR(theory.directions.front().threshold / 1139.78997, 1, kDigits);
  EXPECT_NEAR(theory.kernel_plateau, 1 - .3415762226, kDigits);
  EXPECT_EQ(theory.kernel_threshold, 5000);
  const std::vector<std::pair<double, double>> overlaps{{1000, 0},         {2000, .38849488},  {4000, .68639043},
                                                        {8000, .84258738}, {16000, .92133571}, {32000, .96070334}};
  for (const auto& [n, overlap] : overlaps) {
    const LofiTheory at = predict_lofi(sine, 100, n);
    EXPECT_NEAR(at.mean_overlap, overlap, kDigits) << n;
    constexpr double kSampled = 0.003;  // the accuracy that depth_two_error states
    if (overlap > 0) {
      EXPECT_NEAR(at.depth_two_error.value(), depth_two_by_quadrature(1.5, overlap), kSampled) << n;
    }
  }
}

/// d E T²/θ_j² of tanh h: tanh x = ∫₀^∞ sin(tx)/sinh(πt/2) dt and tanh² x = 1 − ∫₀^∞ t cos(tx)/sinh(πt/2) dt, over the
/// characteristic function of h, which the weight s_j² divides by 1 − 2ita_j/N.
std::vector<double> wide_thresholds_of_tanh(const std::vector<double>& a, double d) {
  using Complex = std::complex<double>;
  double squares = 0;
  for (const double x : a) squares += x * x;
  const double norm = std::sqrt(2 * squares);
  double mean = 0, second = 1;
  std::vector<double> theta(a.size(), 0);
  constexpr double kStep = 1e-3, kFar = 26;  // midpoints: error of order step²
  for (double t = 0.5 * kStep; t < kFar; t += kStep) {
    Complex phi = 1;
    for (const double x : a) phi *= std::exp(Complex(0, -t * x / norm)) / std::sqrt(Complex(1, -2 * t * x / norm));
    const double kernel = kStep / std::sinh(0.5 * std::numbers::pi * t);
    mean += phi.imag() * kernel, second -= t * phi.real() * kernel;
    for (std::size_t j = 0; j < a.size(); ++j)
      theta[j] += (phi / Complex(1, -2 * t * a[j] / norm) - phi).imag() * kernel;
  }
  for (double& x : theta) x = d * (second - mean * mean) / (x * x);
  return theta;
}

TEST(LofiTarget, StaircaseDirectionsEmergeOneByOne) {
  const LofiTarget staircase = LofiTarget::parse("staircase:12,1");
  const LofiTheory theory = predict_lofi(staircase, 300, 10000);
  ASSERT_EQ(theory.directions.size(), 12U);
  std::vector<double> wide = wide_thresholds_of_tanh(staircase.coefficients(), 300), found;
  EXPECT_NEAR(wide[0], 335.6218, 1e-3);
  EXPECT_NEAR(wide[11], 24593.376, 1e-1);
  for (const LofiPrediction& direction : theory.directions) found.push_back(direction.wide_threshold);
  std::sort(wide.begin(), wide.end()), std::sort(found.begin(), found.end());
  for (std::size_t j = 0; j < wide.size(); ++j) EXPECT_NEAR(found[j] / wide[j], 1, 1e-5) << j;
}

TEST(LofiTarget, TheSecondFormOfTheLeapIsSeenThroughTheFirst) {
  // h₁ and h₂ of four directions are Laplace variables, E[s_j² | h] = (1 + max(0, ±√8 h))/2: a quadrature of its own.
  // The program's grid has 1024 points, whose error is of order (Δh)³ = 2e-4.
  constexpr double kGrid = 2e-4;
  const LofiTarget leap = LofiTarget::parse("leap:4");
  EXPECT_NEAR(predict_lofi(leap, 200, 4000).directions.front().threshold / 592.03766, 1, kGrid);
  const std::vector<std::pair<double, double>> first{{4000, .74375279}, {8000, .86655475}};
  for (const auto& [n, overlap] : first) EXPECT_NEAR(predict_lofi(leap, 200, n).mean_overlap, overlap, kGrid) << n;
  const std::vector<std::pair<double, double>> second{{8000, .54297882}, {16000, .78064424}, {32000, .89355766}};
  for (const auto& [n, overlap] : second) {
    double sum = 0;
    for (const LofiPrediction& direction : predict_lofi(leap, 200, n).directions) {
      if (direction.group != 2) continue;
      sum += direction.overlap / 4;
      EXPECT_NEAR(direction.threshold / (direction.end == Kept::above ? 6037.432 : 866.61495), 1, kGrid);
    }
    EXPECT_NEAR(sum, overlap, kGrid) << n;
  }
}

TEST(LofiTarget, SharingAFilterGainsTheSquareOfThePatches) {
  // One quadrature over h, a χ²₈ variable, serves both: δ = 9.8245798.
  const LofiTarget filter = LofiTarget::parse("shared-filter:8"), full = LofiTarget::parse("shared:8");
  EXPECT_EQ(filter.tokens(), 8);
  EXPECT_NEAR(predict_lofi(filter, 80, 1000).directions.at(0).threshold / 98.245798, 1, kDigits);
  EXPECT_NEAR(predict_lofi(full, 640, 8000).directions.at(0).threshold / 6287.7311, 1, kDigits);
  for (const double n : {200., 400., 1000.}) {
    const LofiTheory shared = predict_lofi(filter, 80, n), connected = predict_lofi(full, 640, 64 * n);
    EXPECT_NEAR(shared.mean_overlap, connected.mean_overlap, 1e-9);
    EXPECT_NEAR(*shared.depth_two_error, *connected.depth_two_error, 1e-9);
  }
  EXPECT_NEAR(predict_lofi(filter, 80, 400).mean_overlap, .7542, 5e-5);
}

TEST(LofiTarget, AttentionEmergesWhereItsQuadratureSays) {
  const LofiTarget attention = LofiTarget::parse("attention:1");
  EXPECT_NEAR(attention.weights().probability.sum(), 1, 1e-10);
  EXPECT_NEAR((attention.weights().probability * attention.moments().moments.col(0)).sum(), 1, 1e-10);
  EXPECT_NEAR(predict_lofi(attention, 300, 300).directions.at(0).threshold / 300, .46481894, kDigits);
  const std::vector<std::pair<double, double>> overlaps{{1, .2801916}, {1.5, .4642085}, {2, .5824638},
                                                        {3, .7168133}, {5, .8316731},   {10, .9179685}};
  for (const auto& [ratio, overlap] : overlaps)
    EXPECT_NEAR(predict_lofi(attention, 300, 300 * ratio).mean_overlap, overlap, kDigits);
}

TEST(LofiTarget, NamesWhatItAccepts) {
  for (const char* bad : {"", "cube", "square:1", "sine:8", "sine:3,1", "sine:8,0", "sine:8,x", "leap:2.5",
                          "shared:", "attention:", "attention:0", "attention:x", "shared-filter:2"})
    EXPECT_THROW(LofiTarget::parse(bad), std::invalid_argument) << bad;
  EXPECT_THAT([] { LofiTarget::parse("cube"); }, ThrowsMessage<std::invalid_argument>(HasSubstr("staircase:R,GAMMA")));
}

// ------------------------------------------------------------------------------------------------------------- layers

Matrix normals(Eigen::Index rows, Eigen::Index columns, std::uint64_t stream) {
  Matrix x(rows, columns);
  base::NormalStream(11, stream).fill(0, {x.data(), static_cast<std::size_t>(x.size())});
  return x;
}

TEST(LofiLayer, OperatorIsTheWeightedSum) {
  const Matrix phi = normals(5000, 7, 1);
  const ArrayXd t = normals(5000, 1, 2).array();
  const Matrix M = weighted_operator(phi, t);
  const Matrix direct = phi.transpose() * t.matrix().asDiagonal() * phi / 5000;
  EXPECT_LT((M - direct).cwiseAbs().maxCoeff(), 1e-13);
}

TEST(LofiLayer, PatchesOfOneLabelAreTokensWithRepeatedWeights) {
  const int n = 300, patches = 4, d = 6;
  const Matrix tokens = normals(n * patches, d, 3);
  const ArrayXd t = normals(n, 1, 4).array();
  Matrix direct = Matrix::Zero(d, d);
  for (int mu = 0; mu < n; ++mu) {
    const Matrix sequence = tokens.middleRows(mu * patches, patches);
    direct += t[mu] * sequence.transpose() * sequence / (n * patches);
  }
  const ArrayXd repeated = t.transpose().replicate(patches, 1).reshaped();
  EXPECT_LT((weighted_operator(tokens, repeated) - direct).cwiseAbs().maxCoeff(), 1e-13);
}

TEST(LofiLayer, NoiseIsSeldomTakenForAFeature) {
  constexpr int kDraws = 200, kFeatures = 200, kSamples = 1000;
  int above = 0, below = 0, degree_one = 0;
  for (int draw = 0; draw < kDraws; ++draw) {
    const Matrix phi = normals(kSamples, kFeatures, 100 + 2 * static_cast<std::uint64_t>(draw));
    const ArrayXd t = normals(kSamples, 1, 101 + 2 * static_cast<std::uint64_t>(draw)).array().sign();
    for (const LofiFeature& feature : filter_layer(phi, t, {}).features) {
      above += feature.kept == Kept::above;
      below += feature.kept == Kept::below;
      degree_one += feature.kept == Kept::degree_one;
    }
  }
  for (const int count : {above, below, degree_one}) EXPECT_LE(count, 0.03 * kDraws);
}

TEST(LofiLayer, PermutationsAgreeOnWhatStandsOut) {
  Matrix phi = normals(2000, 40, 5);
  const ArrayXd t = (phi.col(3).array() * phi.col(7).array()).sign();
  FilterOptions options;
  options.permutations = 99;  // the least that reaches the significance of 0.01
  const FilteredLayer permuted = filter_layer(phi, t, options), white = filter_layer(phi, t, {});
  ASSERT_EQ(permuted.features.size(), 2U);
  ASSERT_EQ(white.features.size(), 2U);
  for (const LofiFeature& feature : permuted.features) {
    EXPECT_NEAR(feature.p_value, 0.01, 1e-12);
    EXPECT_GT(std::hypot(feature.direction[3], feature.direction[7]), 0.9);
  }
  EXPECT_GT(permuted.features[0].eigenvalue, permuted.upper_threshold);
  EXPECT_LT(permuted.features[1].eigenvalue, permuted.lower_threshold);
  options.permutations = 10;
  EXPECT_THROW(filter_layer(phi, t, options), std::invalid_argument);
}

TEST(LofiLayer, DegreeOneIsALinearLabel) {
  const Matrix phi = normals(3000, 30, 6);
  const ArrayXd t = phi.col(2).array().tanh();
  const FilteredLayer layer = filter_layer(phi, t, {});
  ASSERT_EQ(layer.features.size(), 1U);
  EXPECT_EQ(layer.features[0].kept, Kept::degree_one);
  const double beta = 0.6057, second = 0.3943;  // E[G tanh G], E tanh² G
  EXPECT_NEAR(std::pow(layer.features[0].direction[2], 2), degree_one_overlap(second, beta, 100), 0.01);
  const Matrix rest = deflated(phi, layer.features);
  EXPECT_LT(projections(rest, layer.features).cwiseAbs().maxCoeff(), 1e-12);
}

// ------------------------------------------------------------------------------------------------- several outputs

TEST(LofiStack, OneOutputEndsWhereItsOperatorEnds) {
  const ArrayXd t = normals(4000, 1, 20).array().max(-1).min(2);
  const WeightLaw weights = WeightLaw::of_sample({t.data(), static_cast<std::size_t>(t.size())});
  for (const double delta : {0.5, 4.0, 40.0}) {
    const double ends = std::max(LofiLaw(weights, delta).upper_edge().eigenvalue,
                                 LofiLaw(weights.negated(), delta).upper_edge().eigenvalue);
    EXPECT_NEAR(stack_edge(t, delta).eigenvalue / ends, 1, 1e-9) << delta;
    // The same output three times: singular values √3 times as large.
    EXPECT_NEAR(stack_edge(t.replicate(1, 3), delta).eigenvalue / (std::sqrt(3) * ends), 1, 1e-9) << delta;
  }
  EXPECT_THROW(stack_edge(ArrayXXd::Zero(3, 2), 1), std::invalid_argument);
}

TEST(LofiStack, DensityAtTheEdgeIsThatOfTheOperator) {
  const ArrayXd t = normals(4000, 1, 21).array().max(-1).min(2);  // ends differ: the singular values end at one of them
  const WeightLaw weights = WeightLaw::of_sample({t.data(), static_cast<std::size_t>(t.size())});
  const LofiEdge upper = LofiLaw(weights, 4).upper_edge(), stacked = stack_edge(t, 4);
  ASSERT_GT(upper.eigenvalue, LofiLaw(weights.negated(), 4).upper_edge().eigenvalue);
  EXPECT_NEAR(stacked.density / upper.density, 1, 1e-3);  // a second difference
}

TEST(LofiStack, ManySamplesMakeIndependentWignerMatrices) {
  ArrayXXd t = normals(3000, 4, 22).array().max(-2).min(2);
  t.rowwise() -= t.colwise().mean().eval();  // what is left of a mean outweighs the noise at this δ
  const double delta = 1e6;
  const double second = t.square().mean();
  EXPECT_NEAR(stack_edge(t, delta).eigenvalue / ((1 + std::sqrt(4)) * std::sqrt(second / delta)), 1, 0.02);
}

TEST(LofiStack, NoiseIsSeldomTakenForAFeature) {
  constexpr int kDraws = 100;
  int kept = 0;
  FilterOptions options;
  options.degree_one = false;
  for (int draw = 0; draw < kDraws; ++draw) {
    const Matrix phi = normals(600, 100, 1000 + 2 * static_cast<std::uint64_t>(draw));
    const Matrix t = normals(600, 3, 1001 + 2 * static_cast<std::uint64_t>(draw)).cwiseMax(-2).cwiseMin(2);
    kept += filter_layer(phi, t.array(), options).features.empty() ? 0 : 1;
  }
  EXPECT_LE(kept, 0.05 * kDraws);  // 1 % expected; 6 or more come once in 2000 such tests
}

TEST(LofiStack, EveryOutputIsReadFromTheCommonFeatures) {
  LabelledSamples train{normals(4000, 20, 23), Matrix(4000, 2)}, test{normals(1000, 20, 24), Matrix(1000, 2)};
  for (LabelledSamples* samples : {&train, &test}) {
    samples->y.col(0) = samples->x.col(0).cwiseProduct(samples->x.col(1));
    samples->y.col(1) = samples->x.col(2).cwiseProduct(samples->x.col(3)) + samples->x.col(4);
  }
  LofiOptions options;
  options.lift = 100;
  const LofiResult result = run_lofi(train, test, data_weights(train, 2), options);
  EXPECT_TRUE(result.first.stacked);
  ASSERT_EQ(result.first.quadratic().size(), 4U);
  for (const LofiFeature& feature : result.first.quadratic()) EXPECT_GT(feature.direction.head(4).norm(), 0.95);
  ASSERT_EQ(result.first.features.size(), 5U);
  EXPECT_EQ(result.first.features.back().output, 1);
  EXPECT_GT(std::abs(result.first.features.back().direction[4]), 0.95);
  ASSERT_EQ(result.readouts[1].output_errors.size(), 2U);
  for (const double error : result.readouts[1].output_errors) EXPECT_LT(error, 0.15);
  EXPECT_NEAR(result.readouts[1].test_error,
              0.5 * (result.readouts[1].output_errors[0] + result.readouts[1].output_errors[1]), 0.02);
}

// ---------------------------------------------------------------------------------------------------------- sequences

TEST(LofiSequence, RotatedTokensMakeTheOperatorOfPairs) {
  const int n = 200, tokens = 3, d = 5;
  const Matrix x = normals(n * tokens, d, 25);
  const ArrayXXd w = normals(n, tokens * tokens, 26).array();
  Matrix direct = Matrix::Zero(d, d);
  for (int mu = 0; mu < n; ++mu)
    for (int a = 0; a < tokens; ++a)
      for (int b = 0; b < tokens; ++b)
        direct += w(mu, a * tokens + b) * x.row(mu * tokens + a).transpose() * x.row(mu * tokens + b) / (n * tokens);
  direct = 0.5 * (direct + direct.transpose()).eval();
  const WeightedTokens rotated = rotated_tokens(x, w, tokens);
  EXPECT_LT((weighted_operator(rotated.phi, rotated.t.col(0)) - direct).cwiseAbs().maxCoeff(), 1e-13);
  // With w = t·I every token has the weight of its sample.
  ArrayXXd identity = ArrayXXd::Zero(n, tokens * tokens);
  for (int a = 0; a < tokens; ++a) identity.col(a * (tokens + 1)) = w.col(0);
  const WeightedTokens same = rotated_tokens(x, identity, tokens);
  EXPECT_LT((weighted_operator(same.phi, same.t.col(0)) -
             weighted_operator(x, repeated_weights(w.leftCols(1), tokens).col(0)))
                .cwiseAbs()
                .maxCoeff(),
            1e-13);
  EXPECT_THROW(rotated_tokens(x, w.leftCols(4), tokens), std::invalid_argument);
}

// ------------------------------------------------------------------------------------------------------------ readouts

TEST(LofiRidge, LeaveOneOutIsWhatItSays) {
  const Matrix z = normals(40, 5, 7);
  const ArrayXd y = z.col(0).array() - 0.5 * z.col(1).array() + 0.3 * normals(40, 1, 8).array();
  const Ridge ridge = fit_ridge(z, Matrix(y.matrix()));
  double sum = 0;
  for (int left = 0; left < 40; ++left) {
    // Normal equations of the other samples, with the same penalty per sample of all.
    Eigen::MatrixXd A = Eigen::MatrixXd::Zero(6, 6);
    Eigen::VectorXd b = Eigen::VectorXd::Zero(6);
    for (int i = 0; i < 40; ++i) {
      if (i == left) continue;
      Eigen::VectorXd row(6);
      row << z.row(i).transpose(), 1;
      A += row * row.transpose(), b += y[i] * row;
    }
    A.diagonal().head(5).array() += 40 * ridge.penalty;
    const Eigen::VectorXd w = A.ldlt().solve(b);
    sum += std::pow(y[left] - z.row(left).dot(w.head(5)) - w[5], 2);
  }
  EXPECT_NEAR(ridge.validation_error, sum / 40, 1e-9);
}

TEST(LofiRidge, ManyFeaturesAreServedFromEitherSide) {
  const Matrix x = normals(400, 60, 9);
  const ArrayXd y = x.col(0).array() * x.col(1).array() + x.col(2).array();
  const Matrix lifted = degree_two_features(x);
  ASSERT_EQ(lifted.cols(), 60 + 60 * 61 / 2);
  // Inner products of the features are those of the kernel x·x' + (x·x')².
  EXPECT_NEAR(lifted.row(0).dot(lifted.row(1)), x.row(0).dot(x.row(1)) + std::pow(x.row(0).dot(x.row(1)), 2), 1e-10);
  const Ridge dual = fit_ridge(lifted, Matrix(y.matrix()));
  const Eigen::RowVectorXd mean = lifted.colwise().mean();
  const Matrix centred = lifted.rowwise() - mean;
  const ArrayXd residual = y - dual(lifted).col(0).array();
  // Stationarity: zᵀ(y − f)/n = λ w.
  EXPECT_LT((centred.transpose() * residual.matrix() / 400 - dual.penalty * dual.weights).norm(), 1e-9);
}

// ---------------------------------------------------------------------------------------------- the published recipe

TEST(LofiPublished, KernelLayerIsTheLayerOfItsOwnFeatures) {
  const Matrix x = normals(120, 10, 12), fresh = normals(30, 10, 13);
  const ArrayXd y = normals(120, 1, 14).array().sign();
  const PublishedLayer layer = published_layer(x, y, {40, 6, false, 0, 0});
  const Matrix z = layer.lifted(x), z_fresh = layer.lifted(fresh);
  const KernelLayer kernel = kernel_layer(z * z.transpose(), y, 6);
  EXPECT_LT((kernel.eigenvalues - layer.eigenvalues).cwiseAbs().maxCoeff(), 1e-10);
  const Matrix features = layer(fresh), same = z_fresh * z.transpose() * kernel.coordinates;
  for (int k = 0; k < 6; ++k) {
    const double sign = features.col(k).dot(same.col(k)) < 0 ? -1 : 1;
    EXPECT_LT((features.col(k) - sign * same.col(k)).cwiseAbs().maxCoeff(), 1e-6 * features.col(k).norm()) << k;
  }
}

TEST(LofiPublished, WideLayersApproachTheKernelLimit) {
  const Matrix x = normals(150, 10, 15);
  const ArrayXd y = (x.col(0).array() * x.col(1).array()).sign();
  const double scale = root_mean_square_length(x);
  const KernelLayer limit = kernel_layer(relu_kernel(x, x, scale), y, 3);
  const PublishedLayer wide = published_layer(x, y, {2000, 3, false, 0, 0});
  for (int k = 0; k < 3; ++k) EXPECT_NEAR(wide.eigenvalues[k] / limit.eigenvalues[k], 1, 0.1) << k;
}

TEST(LofiPublished, ConvolutionIsTheMeanOverPositions) {
  const Matrix x = normals(50, 12, 16);
  const ArrayXd y = normals(50, 1, 17).array();
  const Matrix patches = patches_of(x, 3);
  ASSERT_EQ(patches.rows(), 150);
  EXPECT_EQ(patches(1, 0), x(0, 4));
  const PublishedLayer layer = published_layer(patches, repeated(y, 3), {9, 2, false, 0, 0});
  const Matrix z = layer.lifted(patches);
  Matrix M = Matrix::Zero(9, 9);
  for (int mu = 0; mu < 50; ++mu)
    for (int s = 0; s < 3; ++s) M += y[mu] * z.row(3 * mu + s).transpose() * z.row(3 * mu + s) / 150;
  EXPECT_LT((M * layer.filters - layer.filters * layer.eigenvalues.asDiagonal()).cwiseAbs().maxCoeff(), 1e-12);
  EXPECT_THROW(patches_of(x, 5), std::invalid_argument);
  EXPECT_THROW(published_layer(x, y, {9, 10, false, 0, 0}), std::invalid_argument);
}

// ---------------------------------------------------------------------------------------------- theory and experiment

/// Measured squared overlap of one target at (d, n), over instances, beside the theory: 5/d relative and 3.5 standard
/// errors.
void expect_overlap(const char* spec, int d, int n, int instances) {
  const LofiTarget target = LofiTarget::parse(spec);
  std::vector<double> measured;
  LofiOptions options;
  options.lift = 20;
  for (int i = 0; i < instances; ++i)
    measured.push_back(measure_lofi(target, d, n, 100, static_cast<std::uint64_t>(i), options).mean_overlap);
  const base::Estimate estimate = base::estimate_of(measured);
  const double theory = predict_lofi(target, d, n).mean_overlap;
  EXPECT_NEAR(estimate.value, theory, 5.0 / d * theory + 3.5 * estimate.standard_error) << spec << " " << n;
}

TEST(LofiExperiment, OverlapsAreThoseOfTheTheory) {
  expect_overlap("square", 500, 2500, 4);
  expect_overlap("parity", 500, 10000, 3);
  expect_overlap("parity-optimal", 500, 10000, 3);
  expect_overlap("sine:8,1.5", 100, 16000, 3);
}

TEST(LofiExperiment, SharedFiltersAndAttentionHaveTheOverlapsOfTheTheory) {
  expect_overlap("shared-filter:8", 80, 400, 4);
  expect_overlap("shared-filter:8", 80, 1000, 4);
  expect_overlap("attention:1", 300, 900, 4);
  expect_overlap("attention:1", 300, 3000, 3);
}

/// Draws scatter by 0.006: three of them can agree by chance far better than that, and give a standard error of 3e-4.
TEST(LofiExperiment, SlowFullyConnectedLayersNeedTheSquareOfThePatches) { expect_overlap("shared:8", 640, 24000, 10); }

TEST(LofiExperiment, SlowStaircaseIsClimbedStepByStep) {
  // Overlaps of all directions that the theory sees, whether or not they are significant: projections on the ends.
  const LofiTarget target = LofiTarget::parse("staircase:12,1");
  constexpr int kDimension = 300;
  for (const int n : {3000, 10000, 30000}) {
    const LofiTheory theory = predict_lofi(target, kDimension, n);
    int above = 0, below = 0;
    for (const LofiPrediction& direction : theory.directions)
      if (direction.overlap > 0) direction.end == Kept::above ? ++above : ++below;
    std::vector<double> sums;
    for (std::uint64_t instance = 0; instance < 4; ++instance) {
      const Matrix x = normals(n, kDimension, 5000 + instance);
      ArrayXd t(n);
      for (Eigen::Index mu = 0; mu < n; ++mu) {
        double y = 0;
        target.label({&x(mu, 0), 12}, {&y, 1});
        t[mu] = target.weight(y);
      }
      const Eigen::MatrixXd vectors = test::eigensystem(weighted_operator(x, t)).vectors;
      sums.push_back(vectors.topRightCorner(12, above).squaredNorm() + vectors.topLeftCorner(12, below).squaredNorm());
    }
    const base::Estimate sum = base::estimate_of(sums);
    const double predicted = 12 * theory.mean_overlap;
    EXPECT_NEAR(sum.value, predicted, 5.0 / kDimension * predicted + 3.5 * sum.standard_error) << n;
  }
}

TEST(LofiExperiment, DegreeOneOnAQuadraticLiftNeedsFewSamples) {
  // Second layer over 30 known directions: all p₂ = r(r+1)/2 products, b = (1/n) Σ t φ, corr² = 1/(1 + p₂/(n c²)).
  constexpr int kDirections = 30, kLifted = kDirections * (kDirections + 1) / 2;
  const LofiTarget sine = LofiTarget::parse("sine:30,1.5");
  const double norm = std::sqrt(2.0 * kDirections);
  for (const int n : {1000, 3000, 10000}) {
    std::vector<double> correlations;
    for (std::uint64_t instance = 0; instance < 4; ++instance) {
      const Matrix s = normals(n, kDirections, 7000 + instance);
      Eigen::VectorXd b = Eigen::VectorXd::Zero(kLifted), form = b;
      for (Eigen::Index mu = 0; mu < n; ++mu) {
        double y = 0;
        sine.label({&s(mu, 0), kDirections}, {&y, 1});
        Eigen::Index at = 0;
        for (int i = 0; i < kDirections; ++i)
          for (int j = i; j < kDirections; ++j, ++at)
            b[at] += sine.weight(y) * (i == j ? (s(mu, i) * s(mu, i) - 1) / std::sqrt(2) : s(mu, i) * s(mu, j)) / n;
      }
      for (Eigen::Index i = 0, at = 0; i < kDirections; at += kDirections - i, ++i)
        form[at] = sine.coefficients()[static_cast<std::size_t>(i)] * std::sqrt(2) / norm;
      correlations.push_back(std::pow(b.dot(form), 2) / b.squaredNorm());
    }
    const base::Estimate correlation = base::estimate_of(correlations);
    const double predicted = 1 / (1 + kLifted / (n * sine.linear_share()));
    EXPECT_NEAR(correlation.value, predicted, 5.0 / kDirections * predicted + 3.5 * correlation.standard_error) << n;
  }
}

TEST(LofiExperiment, SlowLeapReachesItsPrediction) {
  const LofiTarget target = LofiTarget::parse("leap:4");
  constexpr int kDimension = 200;
  LofiOptions options;
  options.lift = 20;
  for (const int n : {16000, 32000}) {
    std::vector<double> first, second;
    for (std::uint64_t instance = 0; instance < 4; ++instance) {
      const LofiMeasurement run = measure_lofi(target, kDimension, n, 100, instance, options);
      first.push_back(run.mean_overlap), second.push_back(run.leap_overlap);
    }
    const LofiTheory theory = predict_lofi(target, kDimension, n);
    double leap = 0;
    for (const LofiPrediction& direction : theory.directions)
      if (direction.group == 2) leap += direction.overlap / 4;
    const base::Estimate known = base::estimate_of(first), found = base::estimate_of(second);
    EXPECT_NEAR(known.value, theory.mean_overlap, 5.0 / kDimension * theory.mean_overlap + 3.5 * known.standard_error);
    EXPECT_NEAR(found.value, leap, 5.0 / kDimension * leap + 3.5 * found.standard_error) << n;
  }
}

TEST(LofiExperiment, TheFirstLayerDoesNotSeeTheLeap) {
  LofiOptions options;
  options.lift = 20;
  const LofiMeasurement run = measure_lofi(LofiTarget::parse("leap:4"), 100, 16000, 100, 0, options);
  ASSERT_TRUE(run.result.leap);
  EXPECT_GT(run.mean_overlap, 0.8);
  EXPECT_GT(run.leap_overlap, 0.7);
  options.leap = false;
  EXPECT_FALSE(measure_lofi(LofiTarget::parse("leap:4"), 100, 16000, 100, 0, options).result.leap);
}

TEST(LofiExperiment, SlowDepthTwoReachesItsPrediction) {
  constexpr int kDimension = 100, kSamples = 16000, kTest = 10000;
  const LofiTarget sine = LofiTarget::parse("sine:8,1.5");
  std::vector<double> errors;
  for (std::uint64_t instance = 0; instance < 4; ++instance) {
    const LofiMeasurement run = measure_lofi(sine, kDimension, kSamples, kTest, instance, {});
    EXPECT_EQ(run.seen, 8);
    EXPECT_GT(run.result.readouts[0].test_error, 0.5);  // depth 1
    EXPECT_LT(run.result.readouts[1].test_error, 0.36);
    errors.push_back(run.result.readouts[1].test_error);
  }
  const base::Estimate depth_two = base::estimate_of(errors);
  const double theory = *predict_lofi(sine, kDimension, kSamples).depth_two_error;
  EXPECT_NEAR(depth_two.value, theory, 5.0 / kDimension * theory + 3.5 * depth_two.standard_error);
}

TEST(LofiExperiment, SlowFixedKernelsStayOnTheirPlateau) {
  LofiOptions options;
  options.lazy = true;
  const LofiMeasurement run = measure_lofi(LofiTarget::parse("sine:8,1.5"), 100, 16000, 10000, 0, options);
  ASSERT_EQ(run.result.readouts.size(), 4U);
  for (const std::size_t lazy : {2, 3}) EXPECT_GT(run.result.readouts[lazy].test_error, 0.7);
}

// -------------------------------------------------------------------------------------------------------------- files

using test::bytes;
using test::npy;

class LofiFiles : public testing::Test {
 protected:
  LofiFiles()
      : path_((std::filesystem::temp_directory_path() /
               (std::string("attnlaw_lofi_") + testing::UnitTest::GetInstance()->current_test_info()->name()))
                  .string()) {}
  ~LofiFiles() override {
    for (const char* end : {".npy", "_y.npy", ".csv"}) std::filesystem::remove(path_ + end);
  }
  std::string write(const std::string& end, const std::string& content) const {
    base::write_atomically(path_ + end, content);
    return path_ + end;
  }

  std::string path_;
};

TEST_F(LofiFiles, TheLastColumnIsTheLabel) {
  const LabelledSamples samples = read_labelled(write(".csv", "# x1 x2 y\n1,2,3\n4,5,6\n"), "");
  EXPECT_EQ(samples.x.cols(), 2);
  EXPECT_EQ(samples.y(1, 0), 6);
  EXPECT_THROW(split_samples(samples, 1), std::invalid_argument);
}

TEST_F(LofiFiles, TokensAndLabelsOfSeveralShapes) {
  const std::string x =
      write(".npy", npy(1, "<f8", "(2, 3, 2)", bytes<double>({0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11})));
  const std::string y = write("_y.npy", npy(1, "<f8", "(2, 2)", bytes<double>({1, 2, 3, 4})));
  const LabelledSamples sequences = read_labelled(x, y);
  EXPECT_EQ(sequences.tokens, 3);
  EXPECT_EQ(sequences.size(), 2);
  EXPECT_EQ(sequences.y.cols(), 2);
  EXPECT_EQ(sequences.x(4, 1), 9);
  EXPECT_THROW(read_labelled(x, ""), std::invalid_argument);
  EXPECT_THROW(read_labelled(x, y, 3), std::invalid_argument);
  const LabelledSamples rows = read_labelled(write(".csv", "0 1 2 3 -1\n4 5 6 7 1\n"), "", 2);
  EXPECT_EQ(rows.tokens, 2);
  EXPECT_EQ(rows.x(3, 0), 6);
  EXPECT_EQ(rows.y(1, 0), 1);
  EXPECT_THROW(read_labelled(write(".csv", "0 1 2 3 -1\n4 5 6 7 1\n"), "", 3), std::invalid_argument);
  const std::string pairs = write("_y.npy", npy(1, "<f4", "(2, 3, 3)", bytes<float>(std::vector<float>(18, 0.5F))));
  EXPECT_TRUE(read_labelled(x, pairs).attention);
  EXPECT_EQ(read_labelled(x, pairs).y.cols(), 9);
  const std::string other = write("_y.npy", npy(1, "<f4", "(2, 2, 2)", bytes<float>(std::vector<float>(8, 0.5F))));
  EXPECT_THROW(read_labelled(x, other), std::invalid_argument);
}

}  // namespace
}  // namespace attnlaw::laws
