#include "attnlaw/laws/filtering/target.h"

#include <Eigen/Core>
#include <algorithm>
#include <boost/math/quadrature/gauss.hpp>
#include <cmath>
#include <limits>
#include <map>
#include <numbers>
#include <utility>

#include "attnlaw/base/interrupt.h"
#include "attnlaw/base/numbers.h"
#include "attnlaw/base/random.h"
#include "attnlaw/base/reject.h"
#include "attnlaw/base/streams.h"
#include "attnlaw/laws/filtering/quadratic_form.h"

namespace attnlaw::laws {
namespace {

using base::reject;
using Eigen::ArrayXd;
using Eigen::ArrayXXd;
using Eigen::Index;

constexpr const char* kAccepted =
    "square, parity, parity-optimal, sine:R,OMEGA, staircase:R,GAMMA, leap:R, shared:P, shared-filter:P or "
    "attention:BETA";
constexpr double kParity = 2 / std::numbers::pi;  // E[s₁s₂ sign(s₁s₂)]
constexpr double kSquareClip = 2;
constexpr double kLeapClip = 2;
constexpr double kSharedOmega = 1.5;
constexpr int kMostForm = 1000;

/// Computes nodes of y = s² by Gauss-Legendre panels over s ≥ 0, two of which meet at the kink of T.
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

/// Splits a specification into its name and the fields after the colon. Throws unless they are as many as the name
/// takes.
std::pair<std::string, std::vector<std::string_view>> name_and_fields(const std::string& text) {
  const std::size_t colon = text.find(':');
  std::string name = text.substr(0, colon);
  const std::vector<std::string_view> fields = colon == std::string::npos
                                                   ? std::vector<std::string_view>{}
                                                   : base::split(std::string_view(text).substr(colon + 1), ',');
  const std::map<std::string, std::size_t> counts{{"square", 0}, {"parity", 0},        {"parity-optimal", 0},
                                                  {"sine", 2},   {"staircase", 2},     {"leap", 1},
                                                  {"shared", 1}, {"shared-filter", 1}, {"attention", 1}};
  const auto count = counts.find(name);
  if (count == counts.end() || fields.size() != count->second)
    reject("target of lofi must be {}, got '{}'", kAccepted, text);
  return {std::move(name), fields};
}

/// Returns a_j = j^{−γ}, for j from 1 to r, of alternating sign or all positive.
std::vector<double> falling_coefficients(int r, double gamma, bool alternating) {
  std::vector<double> a;
  for (int j = 1; j <= r; ++j) {
    const double size = std::pow(j, -gamma);
    a.push_back(alternating && j % 2 == 0 ? -size : size);
  }
  return a;
}

}  // namespace

LofiTarget LofiTarget::parse(const std::string& text) {
  const auto [name, fields] = name_and_fields(text);
  LofiTarget target;
  target.spec_ = text;
  if (name == "square") {
    target.set_square_law();
  } else if (name.starts_with("parity")) {
    target.optimal_ = name == "parity-optimal";
    target.set_parity_law();
  } else if (name == "attention") {
    target.parameter_ = base::finite_number(fields[0], "BETA of attention");
    if (!(target.parameter_ > 0)) reject("BETA of '{}' must be > 0", text);
    target.set_attention_law();
  } else {
    target.set_forms(name, fields);
  }
  return target;
}

void LofiTarget::set_square_law() {
  kind_ = Kind::square;
  ArrayXd y, probability;
  square_nodes(y, probability);
  weights_ = {(y - 1).min(kSquareClip), probability / probability.sum()};
  moments_ = {y, 1};
  linear_share_ = 1;
}

void LofiTarget::set_parity_law() {
  kind_ = Kind::parity, relevant_ = 2;
  moments_ = {(ArrayXXd(2, 4) << 1, -kParity, -kParity, 1, 1, kParity, kParity, 1).finished(), 2};
  weights_ = {(ArrayXd(2) << weight(-1), weight(1)).finished(), ArrayXd::Constant(2, 0.5)};
  linear_share_ = kParity * kParity;
}

void LofiTarget::set_forms(std::string_view name, std::span<const std::string_view> fields) {
  const auto r = base::number_in<int>(fields[0]);
  if (!r || *r < kLeastForm || *r > kMostForm)
    reject("number of directions in '{}' must be a whole number from {} to {}", spec_, kLeastForm, kMostForm);
  kind_ = name == "staircase" ? Kind::staircase : name == "leap" ? Kind::leap : Kind::sine;
  const bool shared = name.starts_with("shared");
  if (shared) parameter_ = kSharedOmega;
  if (fields.size() == 2) {
    parameter_ = base::finite_number(fields[1], name == "sine" ? "OMEGA of a sine" : "GAMMA of a staircase");
    if (!(parameter_ > 0)) reject("second number of '{}' must be > 0", spec_);
  }
  a_ = falling_coefficients(*r, kind_ == Kind::staircase ? parameter_ : 0, !shared);
  relevant_ = kind_ == Kind::leap ? 2 * *r : *r;
  kind_ == Kind::leap ? set_leap_law() : set_form_law();
  if (name == "shared-filter") {
    // A token has one relevant coordinate, and every token the same law.
    tokens_ = *r, relevant_ = 1;
    moments_ = {ArrayXXd(moments_.moments.col(0)), 1};
  }
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

void LofiTarget::set_leap_law() {
  const FormPairLaw pairs = form_pair_law(a_);
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

/// Returns softmax(βh) of two tokens with coordinates s, row by row.
Eigen::Matrix2d attention_of(double beta, const double* s) {
  Eigen::Matrix2d y;
  for (int a = 0; a < 2; ++a) {
    const double other = s[a] * s[1 - a], own = s[a] * s[a] - 1;
    y(a, a) = 1 / (1 + std::exp(beta * (other - own)));
    y(a, 1 - a) = 1 - y(a, a);
  }
  return y;
}

/// The eigenvalues of T with their probabilities, and (v·s)² of their eigenvectors v.
struct AttentionNodes {
  std::vector<double> t, probability, g;
};

void add_eigenvalues(double beta, const Eigen::Vector2d& s, double mass, AttentionNodes& nodes) {
  const Eigen::Matrix2d y = attention_of(beta, s.data());
  // The eigenvectors of a symmetric matrix of two rows are (cos θ, sin θ) and what is orthogonal to it.
  const double mean = 0.5 * (y(0, 0) + y(1, 1) - 1), half = 0.5 * (y(0, 0) - y(1, 1));
  const double beside = 0.5 * (y(0, 1) + y(1, 0) - 1), radius = std::hypot(half, beside);
  const double angle = 0.5 * std::atan2(beside, half), cosine = std::cos(angle), sine = std::sin(angle);
  nodes.t.insert(nodes.t.end(), {mean - radius, mean + radius});
  nodes.probability.insert(nodes.probability.end(), 2, 0.5 * mass);
  nodes.g.insert(nodes.g.end(), {std::pow(cosine * s[1] - sine * s[0], 2), std::pow(cosine * s[0] + sine * s[1], 2)});
}

ArrayXd array_of(const std::vector<double>& x) { return Eigen::Map<const ArrayXd>(x.data(), std::ssize(x)); }

}  // namespace

void LofiTarget::set_attention_law() {
  kind_ = Kind::attention, tokens_ = 2;
  // Trapezoidal sums converge geometrically for analytic functions; (s₁, s₂) and −(s₁, s₂) have the same label.
  constexpr double kStep = 0.125, kFar = 8.5, kNegligible = 1e-14;
  AttentionNodes nodes;
  const int half = static_cast<int>(kFar / kStep);
  for (int i = 0; i <= half; ++i) {
    base::check_interrupt();
    for (int j = -half; j <= half; ++j) {
      const Eigen::Vector2d s(i * kStep, j * kStep);
      const double mass = (i == 0 ? 1 : 2) * kStep * kStep / (2 * std::numbers::pi) * std::exp(-0.5 * s.squaredNorm());
      if (mass >= kNegligible) add_eigenvalues(parameter_, s, mass, nodes);
    }
  }
  weights_ = {array_of(nodes.t), array_of(nodes.probability)};
  moments_ = {array_of(nodes.g), 1};
  linear_share_ = std::numeric_limits<double>::quiet_NaN();
}

LeapLaw leap_law(const LofiTarget& target) {
  if (target.kind() != LofiTarget::Kind::leap) reject("the leap step is for the target leap, got '{}'", target.spec());
  const FormPairLaw pairs = form_pair_law(target.coefficients());
  const ArrayXd y = (pairs.h1 * (1 + pairs.h2)).tanh();  // its mean is 0, as it is odd in h₁
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
    const double norm = form_norm(a_);
    y[0] = link(quadratic_form(a_, s, norm), kind_ == Kind::leap ? quadratic_form(a_, s.subspan(a_.size()), norm) : 0);
  }
}

double LofiTarget::weight(double y) const {
  if (kind_ == Kind::square) return std::min(y - 1, kSquareClip);
  if (kind_ == Kind::attention) return y - 0.5;
  if (kind_ == Kind::parity) return optimal_ ? kParity * y / (1 + kParity * y) : y;
  return y - mean_;
}

namespace {

constexpr std::size_t kSamples = 1 << 18, kBins = 512;

/// Returns (ĥ, y) of fixed samples.
std::vector<std::pair<double, double>> estimated_forms(const LofiTarget& target, std::span<const double> overlaps,
                                                       std::span<const double> lambdas) {
  const std::vector<double>& a = target.coefficients();
  const std::size_t r = a.size();
  const double norm = form_norm(a);
  std::vector<std::pair<double, double>> pairs(kSamples);
  constexpr std::size_t kBlock = 1024;
  std::vector<double> normals(2 * r * kBlock);
  const base::NormalStream stream(0, base::stream_id(base::Stream::filtering_depth_two, 0, 0));
  for (std::size_t i = 0; i < kSamples; ++i) {
    base::check_interrupt();
    if (i % kBlock == 0) stream.fill(i * 2 * r, normals);
    const std::span<const double> s(&normals[i % kBlock * 2 * r], r), noise(s.data() + r, r);
    double estimate = 0;
    for (std::size_t j = 0; j < r; ++j) {
      if (overlaps[j] == 0) continue;
      const double seen = std::sqrt(overlaps[j]) * s[j] + std::sqrt(1 - overlaps[j]) * noise[j];
      estimate += lambdas[j] * (seen * seen - 1);
    }
    pairs[i] = {estimate, target.link(quadratic_form(a, s, norm), 0)};
  }
  return pairs;
}

/// Returns the share of Var y that the means of y over bins of equally many ĥ leave, for pairs in ascending order of ĥ.
double unexplained_share(const std::vector<std::pair<double, double>>& pairs) {
  double mean = 0, square = 0, between = 0;
  for (const auto& [estimate, y] : pairs) mean += y / kSamples, square += y * y / kSamples;
  constexpr std::size_t kPerBin = kSamples / kBins;
  for (std::size_t bin = 0; bin < kBins; ++bin) {
    double sum = 0;
    for (std::size_t i = 0; i < kPerBin; ++i) sum += pairs[bin * kPerBin + i].second;
    between += sum * sum / kPerBin / kSamples;
  }
  const double variance = square - mean * mean;
  // A bin mean has a variance of its own, at most variance/kPerBin. The factor corrects for it exactly if ĥ tells
  // nothing.
  const double unexplained = (square - between) / variance;
  return std::min(1.0, unexplained * kPerBin / (kPerBin - 1.0));
}

}  // namespace

double depth_two_error(const LofiTarget& target, std::span<const double> overlaps, std::span<const double> lambdas) {
  if (target.kind() != LofiTarget::Kind::sine && target.kind() != LofiTarget::Kind::staircase)
    reject("the error of depth 2 is computed for sine and staircase, got '{}'", target.spec());
  const std::size_t r = target.coefficients().size();
  if (overlaps.size() != r || lambdas.size() != r)
    reject("{} overlaps and weights are needed, got {} and {}", r, overlaps.size(), lambdas.size());
  std::vector<std::pair<double, double>> pairs = estimated_forms(target, overlaps, lambdas);
  std::sort(pairs.begin(), pairs.end());
  return unexplained_share(pairs);
}

}  // namespace attnlaw::laws
