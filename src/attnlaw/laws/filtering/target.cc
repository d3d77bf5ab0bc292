#include "attnlaw/laws/filtering/target.h"

#include <Eigen/Eigenvalues>
#include <algorithm>
#include <boost/math/quadrature/gauss.hpp>
#include <cmath>
#include <complex>
#include <limits>
#include <map>
#include <numbers>
#include <numeric>
#include <unsupported/Eigen/FFT>

#include "attnlaw/base/numbers.h"
#include "attnlaw/base/random.h"
#include "attnlaw/base/reject.h"
#include "attnlaw/base/streams.h"

namespace attnlaw::laws {
namespace {

using base::reject;
using Eigen::ArrayXd;
using Eigen::ArrayXXd;
using Eigen::Index;
using Complex = std::complex<double>;

constexpr const char* kAccepted =
    "square, parity, parity-optimal, sine:R,OMEGA, staircase:R,GAMMA, leap:R, shared:P, shared-filter:P or "
    "attention:BETA";
constexpr double kParity = 2 / std::numbers::pi;  // E[s₁s₂ sign(s₁s₂)]
constexpr double kSquareClip = 2;
constexpr double kLeapClip = 2;
constexpr int kLeastForm = 4, kMostForm = 1000;

double norm_of(std::span<const double> a) {
  return std::sqrt(2 * std::inner_product(a.begin(), a.end(), a.begin(), 0.0));
}

/// Σ a_j(s_j² − 1)/norm.
double form(std::span<const double> a, std::span<const double> s, double norm) {
  double sum = 0;
  for (std::size_t j = 0; j < a.size(); ++j) sum += a[j] * (s[j] * s[j] - 1);
  return sum / norm;
}

/// Nodes of y = s²: Gauss-Legendre panels over s ≥ 0 that end at the kink of T.
void square_nodes(ArrayXd& y, ArrayXd& probability) {
  constexpr int kPanels = 8, kPoints = 20;
  constexpr double kFar = 9;  // P(|s| > 9) = 2e-19
  using Gauss = boost::math::quadrature::gauss<double, kPoints>;
  const double kink = std::sqrt(1 + kSquareClip);
  std::vector<double> at, mass;
  for (int panel = 0; panel < 2 * kPanels; ++panel) {
    const double from = panel < kPanels ? kink * panel / kPanels : kink + (kFar - kink) * (panel - kPanels) / kPanels;
    const double half = 0.5 * (panel < kPanels ? kink : kFar - kink) / kPanels;
    for (int i = 0; i < kPoints / 2; ++i) {
      for (const double sign : {-1.0, 1.0}) {
        const double s = from + half * (1 + sign * Gauss::abscissa()[static_cast<std::size_t>(i)]);
        at.push_back(s * s);
        mass.push_back(half * Gauss::weights()[static_cast<std::size_t>(i)] * std::sqrt(2 / std::numbers::pi) *
                       std::exp(-0.5 * s * s));
      }
    }
  }
  y = Eigen::Map<const ArrayXd>(at.data(), static_cast<Index>(at.size()));
  probability = Eigen::Map<const ArrayXd>(mass.data(), static_cast<Index>(mass.size()));
}

/// Density on the grid from its characteristic function at t_k = πk/half_range, in the order of an FFT.
std::vector<double> invert(const std::vector<Complex>& characteristic, double half_range) {
  const std::size_t points = characteristic.size();
  std::vector<Complex> shifted(points), density;
  // h_i = −half_range + i Δ: e^{−i t_k h_i} = (−1)^k e^{−2πi k i/points}.
  for (std::size_t k = 0; k < points; ++k) shifted[k] = (k % 2 == 0 ? 1.0 : -1.0) * characteristic[k];
  Eigen::FFT<double> fft;
  fft.fwd(density, shifted);
  std::vector<double> real(points);
  for (std::size_t i = 0; i < points; ++i) real[i] = density[i].real() / (2 * half_range);
  return real;
}

}  // namespace

QuadraticFormLaw quadratic_form_law(std::span<const double> a, std::size_t points) {
  for (const double x : a)
    if (!std::isfinite(x) || x == 0) reject("coefficients of a quadratic form must be finite and not 0, got {}", x);
  if (a.size() < kLeastForm)
    reject("a quadratic form needs {} or more directions (the density of fewer is singular), got {}", kLeastForm,
           a.size());
  const double norm = norm_of(a);
  double largest = 0;
  for (const double x : a) largest = std::max(largest, std::abs(x));
  // Tails fall like exp(−|h| norm/(2 max|a|)): less than 1e-13 is left beyond.
  const double half_range = 8 + 64 * largest / norm;
  std::vector<Complex> characteristic(points);
  std::vector<double> frequency(points);
  for (std::size_t k = 0; k < points; ++k) {
    const auto index = static_cast<double>(k) - (k < points / 2 ? 0.0 : static_cast<double>(points));
    const double t = frequency[k] = std::numbers::pi * index / half_range;
    Complex logarithm = 0;
    for (const double x : a) logarithm -= 0.5 * std::log(Complex(1, -2 * t * x / norm)) + Complex(0, t * x / norm);
    characteristic[k] = std::exp(logarithm);
  }
  characteristic[points / 2] = 0;  // has no conjugate partner on the grid
  const std::vector<double> density = invert(characteristic, half_range);
  // s_j² as a weight makes s_j² a χ² variable of three degrees of freedom.
  std::map<double, std::vector<double>> tilted;
  for (const double x : a) {
    if (tilted.contains(x)) continue;
    std::vector<Complex> weighted(points);
    for (std::size_t k = 0; k < points; ++k) weighted[k] = characteristic[k] / Complex(1, -2 * frequency[k] * x / norm);
    tilted[x] = invert(weighted, half_range);
  }
  const double step = 2 * half_range / static_cast<double>(points);
  // Ripples of the cut-off frequencies have either sign and cancel in sums over smooth functions: they stay.
  constexpr double kNegligible = 1e-15;
  std::vector<std::size_t> kept;
  for (std::size_t i = 0; i < points; ++i)
    if (std::abs(density[i]) * step > kNegligible) kept.push_back(i);
  QuadraticFormLaw law;
  const auto nodes = static_cast<Index>(kept.size());
  law.h.resize(nodes), law.probability.resize(nodes), law.squares.resize(nodes, static_cast<Index>(a.size()));
  for (Index i = 0; i < nodes; ++i) {
    const std::size_t at = kept[static_cast<std::size_t>(i)];
    law.h[i] = -half_range + step * static_cast<double>(at);
    law.probability[i] = density[at] * step;
    for (std::size_t j = 0; j < a.size(); ++j) law.squares(i, static_cast<Index>(j)) = tilted[a[j]][at] / density[at];
  }
  law.probability /= law.probability.sum();
  return law;
}

LofiTarget LofiTarget::parse(const std::string& text) {
  LofiTarget target;
  target.spec_ = text;
  const std::size_t colon = text.find(':');
  const std::string name = text.substr(0, colon);
  const std::vector<std::string_view> fields = colon == std::string::npos
                                                   ? std::vector<std::string_view>{}
                                                   : base::split(std::string_view(text).substr(colon + 1), ',');
  const std::map<std::string, std::size_t> counts{{"square", 0}, {"parity", 0},        {"parity-optimal", 0},
                                                  {"sine", 2},   {"staircase", 2},     {"leap", 1},
                                                  {"shared", 1}, {"shared-filter", 1}, {"attention", 1}};
  const auto count = counts.find(name);
  if (count == counts.end() || fields.size() != count->second)
    reject("target of lofi must be {}, got '{}'", kAccepted, text);
  if (fields.empty()) {
    target.optimal_ = name == "parity-optimal";
    target.kind_ = name == "square" ? Kind::square : Kind::parity;
    target.relevant_ = name == "square" ? 1 : 2;
    if (target.kind_ == Kind::square) {
      ArrayXd y, probability;
      square_nodes(y, probability);
      target.weights_ = {(y - 1).min(kSquareClip), probability / probability.sum()};
      target.moments_ = {y, 1};
      target.linear_share_ = 1;
    } else {
      target.moments_ = {(ArrayXXd(2, 4) << 1, -kParity, -kParity, 1, 1, kParity, kParity, 1).finished(), 2};
      target.weights_ = {(ArrayXd(2) << target.weight(-1), target.weight(1)).finished(), ArrayXd::Constant(2, 0.5)};
      target.linear_share_ = kParity * kParity;
    }
    return target;
  }
  if (name == "attention") {
    target.parameter_ = base::finite_number(fields[0], "BETA of attention");
    if (!(target.parameter_ > 0)) reject("BETA of '{}' must be > 0", text);
    target.kind_ = Kind::attention, target.tokens_ = 2;
    target.set_attention_law();
    return target;
  }
  const auto r = base::number_in<int>(fields[0]);
  if (!r || *r < kLeastForm || *r > kMostForm)
    reject("number of directions in '{}' must be a whole number from {} to {}", text, kLeastForm, kMostForm);
  constexpr double kSharedOmega = 1.5;
  const bool shared = name.starts_with("shared");
  target.parameter_ = shared ? kSharedOmega : 0;
  if (fields.size() == 2) {
    target.parameter_ = base::finite_number(fields[1], name == "sine" ? "OMEGA of a sine" : "GAMMA of a staircase");
    if (!(target.parameter_ > 0)) reject("second number of '{}' must be > 0", text);
  }
  target.kind_ = name == "staircase" ? Kind::staircase : name == "leap" ? Kind::leap : Kind::sine;
  for (int j = 1; j <= *r; ++j) {
    const double size = target.kind_ == Kind::staircase ? std::pow(j, -target.parameter_) : 1;
    target.a_.push_back(!shared && j % 2 == 0 ? -size : size);
  }
  target.relevant_ = target.kind_ == Kind::leap ? 2 * *r : *r;
  target.kind_ == Kind::leap ? target.set_leap_law() : target.set_form_law();
  if (name == "shared-filter") {
    // A token has one relevant coordinate, and every token the same law.
    target.tokens_ = *r, target.relevant_ = 1;
    target.moments_ = {ArrayXXd(target.moments_.moments.col(0)), 1};
  }
  return target;
}

double LofiTarget::link(double h1, double h2) const {
  if (kind_ == Kind::sine) return std::sin(parameter_ * h1);
  return std::tanh(kind_ == Kind::leap ? h1 * (1 + h2) : h1);
}

void LofiTarget::set_form_law() {
  const QuadraticFormLaw law = quadratic_form_law(a_);
  const ArrayXd y = law.h.unaryExpr([&](double h) { return link(h, 0); });
  mean_ = (law.probability * y).sum();
  weights_ = {y - mean_, law.probability};
  moments_ = {law.squares, relevant_};
  const double c = (law.probability * weights_.t * law.h).sum();
  linear_share_ = c * c / weights_.second_moment();
}

namespace {

/// Values over all pairs of nodes of two independent forms of the same law.
struct PairLaw {
  ArrayXd h1, h2, probability;
  ArrayXXd first, second;  ///< squares
};

PairLaw pairs_of(std::span<const double> a) {
  constexpr std::size_t kPoints = 1024;  // Δh ≈ 0.06
  const QuadraticFormLaw law = quadratic_form_law(a, kPoints);
  constexpr double kNegligible = 1e-11;
  std::vector<std::pair<Index, Index>> kept;
  for (Index i = 0; i < law.h.size(); ++i)
    for (Index j = 0; j < law.h.size(); ++j)
      if (std::abs(law.probability[i] * law.probability[j]) > kNegligible) kept.emplace_back(i, j);
  const auto nodes = static_cast<Index>(kept.size());
  const Index r = law.squares.cols();
  PairLaw pairs{ArrayXd(nodes), ArrayXd(nodes), ArrayXd(nodes), ArrayXXd(nodes, r), ArrayXXd(nodes, r)};
  for (Index k = 0; k < nodes; ++k) {
    const auto [i, j] = kept[static_cast<std::size_t>(k)];
    pairs.h1[k] = law.h[i], pairs.h2[k] = law.h[j];
    pairs.probability[k] = law.probability[i] * law.probability[j];
    pairs.first.row(k) = law.squares.row(i), pairs.second.row(k) = law.squares.row(j);
  }
  pairs.probability /= pairs.probability.sum();
  return pairs;
}

}  // namespace

void LofiTarget::set_leap_law() {
  const PairLaw pairs = pairs_of(a_);
  const ArrayXd y = (pairs.h1 * (1 + pairs.h2)).tanh();
  mean_ = (pairs.probability * y).sum();
  weights_ = {y - mean_, pairs.probability};
  ArrayXXd both(pairs.first.rows(), relevant_);
  both << pairs.first, pairs.second;
  moments_ = {both, relevant_};
  const double c = (pairs.probability * weights_.t * pairs.h1).sum();
  linear_share_ = c * c / weights_.second_moment();
}

namespace {

/// softmax(βh) of two tokens with coordinates s, row by row.
Eigen::Matrix2d attention_of(double beta, const double* s) {
  Eigen::Matrix2d y;
  for (int a = 0; a < 2; ++a) {
    const double other = s[a] * s[1 - a], own = s[a] * s[a] - 1;
    y(a, a) = 1 / (1 + std::exp(beta * (other - own)));
    y(a, 1 - a) = 1 - y(a, a);
  }
  return y;
}

}  // namespace

void LofiTarget::set_attention_law() {
  // Trapezoidal sums converge geometrically for analytic functions; (s₁, s₂) and −(s₁, s₂) have the same label.
  constexpr double kStep = 0.125, kFar = 8.5, kNegligible = 1e-14;
  std::vector<double> t, probability, g;
  const int half = static_cast<int>(kFar / kStep);
  for (int i = 0; i <= half; ++i) {
    for (int j = -half; j <= half; ++j) {
      const Eigen::Vector2d s(i * kStep, j * kStep);
      const double mass = (i == 0 ? 1 : 2) * kStep * kStep / (2 * std::numbers::pi) * std::exp(-0.5 * s.squaredNorm());
      if (mass < kNegligible) continue;
      const Eigen::Matrix2d y = attention_of(parameter_, s.data());
      const Eigen::SelfAdjointEigenSolver<Eigen::Matrix2d> solver(0.5 * (y + y.transpose()) -
                                                                  Eigen::Matrix2d::Constant(0.5));
      for (int k = 0; k < 2; ++k) {
        t.push_back(solver.eigenvalues()[k]);
        probability.push_back(0.5 * mass);
        g.push_back(std::pow(solver.eigenvectors().col(k).dot(s), 2));
      }
    }
  }
  const auto array = [](const std::vector<double>& x) {
    return ArrayXd(Eigen::Map<const ArrayXd>(x.data(), static_cast<Index>(x.size())));
  };
  weights_ = {array(t), array(probability)};
  moments_ = {array(g), 1};
  linear_share_ = std::numeric_limits<double>::quiet_NaN();
}

LeapLaw leap_law(const LofiTarget& target) {
  if (target.kind() != LofiTarget::Kind::leap) reject("the leap step is for the target leap, got '{}'", target.spec());
  const PairLaw pairs = pairs_of(target.coefficients());
  const ArrayXd y = (pairs.h1 * (1 + pairs.h2)).tanh();  // of mean 0: odd in h₁
  const double deviation = std::sqrt((pairs.probability * y.square()).sum());
  const ArrayXd product = (y * pairs.h1 / deviation).max(-kLeapClip).min(kLeapClip);
  const double mean = (pairs.probability * product).sum();
  return {{product - mean, pairs.probability}, {pairs.second, target.first_group()}};
}

ArrayXd leap_weights(const ArrayXd& y, const ArrayXd& h) {
  const ArrayXd product = (y * h).max(-kLeapClip).min(kLeapClip);
  return product - product.mean();
}

void LofiTarget::label(std::span<const double> s, std::span<double> y) const {
  if (kind_ == Kind::square) {
    y[0] = s[0] * s[0];
  } else if (kind_ == Kind::parity) {
    y[0] = s[0] * s[1] < 0 ? -1 : 1;
  } else if (kind_ == Kind::attention) {
    const Eigen::Matrix2d rows = attention_of(parameter_, s.data());
    for (int a = 0; a < 2; ++a)
      for (int b = 0; b < 2; ++b) y[static_cast<std::size_t>(2 * a + b)] = rows(a, b);
  } else {
    const double norm = norm_of(a_);
    y[0] = link(form(a_, s, norm), kind_ == Kind::leap ? form(a_, s.subspan(a_.size()), norm) : 0);
  }
}

double LofiTarget::weight(double y) const {
  if (kind_ == Kind::square) return std::min(y - 1, kSquareClip);
  if (kind_ == Kind::attention) return y - 0.5;
  if (kind_ == Kind::parity) return optimal_ ? kParity * y / (1 + kParity * y) : y;
  return y - mean_;
}

double depth_two_error(const LofiTarget& target, std::span<const double> overlaps, std::span<const double> lambdas) {
  if (target.kind() != LofiTarget::Kind::sine && target.kind() != LofiTarget::Kind::staircase)
    reject("the error of depth 2 is computed for sine and staircase, got '{}'", target.spec());
  const std::vector<double>& a = target.coefficients();
  const std::size_t r = a.size();
  if (overlaps.size() != r || lambdas.size() != r)
    reject("{} overlaps and weights are needed, got {} and {}", r, overlaps.size(), lambdas.size());
  constexpr std::size_t kSamples = 1 << 18, kBins = 512;
  const double norm = norm_of(a);
  std::vector<std::pair<double, double>> pairs(kSamples);  // ĥ, y
  constexpr std::size_t kBlock = 1024;
  std::vector<double> normals(2 * r * kBlock);
  const base::NormalStream stream(0, base::stream_id(base::Stream::filtering_depth_two, 0, 0));
  for (std::size_t i = 0; i < kSamples; ++i) {
    if (i % kBlock == 0) stream.fill(i * 2 * r, normals);
    const std::span<const double> s(&normals[i % kBlock * 2 * r], r), noise(s.data() + r, r);
    double estimate = 0;
    for (std::size_t j = 0; j < r; ++j) {
      if (overlaps[j] == 0) continue;
      const double seen = std::sqrt(overlaps[j]) * s[j] + std::sqrt(1 - overlaps[j]) * noise[j];
      estimate += lambdas[j] * (seen * seen - 1);
    }
    pairs[i] = {estimate, target.link(form(a, s, norm), 0)};
  }
  std::sort(pairs.begin(), pairs.end());
  double mean = 0, square = 0, between = 0;
  for (const auto& [estimate, y] : pairs) mean += y / kSamples, square += y * y / kSamples;
  constexpr std::size_t kPerBin = kSamples / kBins;
  for (std::size_t bin = 0; bin < kBins; ++bin) {
    double sum = 0;
    for (std::size_t i = 0; i < kPerBin; ++i) sum += pairs[bin * kPerBin + i].second;
    between += sum * sum / kPerBin / kSamples;
  }
  const double variance = square - mean * mean;
  // A bin mean has variance ≤ variance/kPerBin of its own: taken off at its size if ĥ tells nothing.
  const double unexplained = (square - between) / variance;
  return std::min(1.0, unexplained * kPerBin / (kPerBin - 1.0));
}

double wide_depth_two_error(double omega, double R) {
  const double w = omega * omega;
  return 1 - std::exp(-w * (1 - R * R)) * (1 - std::exp(-2 * w * R * R)) / (1 - std::exp(-2 * w));
}

}  // namespace attnlaw::laws
