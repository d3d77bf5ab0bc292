#include "attnlaw/theory/prior/custom_denoiser.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace attnlaw::theory {

using matrix_laws::Interval;
using matrix_laws::Law;
using matrix_laws::Spectrum;

/// f at given conjugates; odd on singular values.
class CustomDenoiser::Function final : public BentFunction {
 public:
  Function(const CustomDenoiser& of, const Conjugates& conjugates)
      : V_hat_(conjugates.V_hat),
        general_(of.general_),
        proximal_(of.penalty_, of.lambda_, conjugates.V_hat / of.symmetry_, of.negative_) {}

  std::vector<double> at(const std::vector<double>& x) const override {
    std::vector<double> scaled;
    for (const double each : x) scaled.push_back((general_ ? std::abs(each) : each) / V_hat_);
    std::vector<double> s = proximal_(scaled);
    for (std::size_t i = 0; general_ && i < x.size(); ++i) s[i] = std::copysign(s[i], x[i]);
    return s;
  }
  std::vector<double> slopes(const std::vector<double>& x) const override {
    constexpr double kStep = 1e-5;
    std::vector<double> ends;
    // To the right, where a cut is to the left.
    for (const double each : x) ends.insert(ends.end(), {each, each + kStep * std::max(std::abs(each), V_hat_)});
    const std::vector<double> s = at(ends);
    std::vector<double> slopes;
    for (std::size_t i = 0; i < x.size(); ++i)
      slopes.push_back((s[2 * i + 1] - s[2 * i]) / (ends[2 * i + 1] - ends[2 * i]));
    return slopes;
  }
  double inverse(double s) const override { return origin(s, 1); }
  double origin(double s, int side) const { return V_hat_ * proximal_.origin(s, side); }

 private:
  double V_hat_;
  bool general_;
  model::ScalarProximal proximal_;
};

CustomDenoiser::CustomDenoiser(const model::Problem& problem, double lambda)
    : penalty_(problem.custom_penalty),
      lambda_(lambda),
      symmetry_(problem.symmetry()),
      general_(problem.cross()),
      negative_(has_negative_eigenvalues(problem)) {}

namespace {

/// The end of an interval of zeros of a monotone function, between a zero and a place where it is none, to rounding.
double end_of_zeros(const BentFunction& f, double zero, double other) {
  constexpr int kParts = 32, kRounds = 9;
  for (int round = 0; round < kRounds; ++round) {
    std::vector<double> x;
    for (int i = 0; i <= kParts; ++i) x.push_back(zero + (other - zero) * i / kParts);
    const std::vector<double> s = f.at(x);
    std::size_t first = 1;
    while (first + 1 < x.size() && s[first] == 0) ++first;
    zero = x[first - 1];
    other = x[first];
  }
  return other;
}

}  // namespace

Interval CustomDenoiser::zeros(const Function& f, const Interval& hull) const {
  // Where f jumps from 0, or rounding hides where it leaves it, the end is looked for.
  constexpr double kBeside = 1e-5;
  const double scale = std::max(std::abs(hull.lower), std::abs(hull.upper));
  const auto end = [&](int side) {
    const double expected = f.origin(0, side), beside = side * kBeside * scale;
    const std::vector<double> s = f.at({expected - beside, expected + beside});
    if (s[1] != 0 && (s[0] == 0 || (s[0] < 0) != (s[1] < 0))) return expected;
    const double far = side > 0 ? std::max(hull.upper, 0.0) + scale : std::min(hull.lower, 0.0) - scale;
    if (f.at({far}).front() == 0) return far;
    return f.at({0.0}).front() == 0 ? end_of_zeros(f, 0, far) : expected;
  };
  if (negative_) return {end(-1), end(1)};
  const double upper = end(1);
  return {general_ ? -upper : -std::numeric_limits<double>::infinity(), upper};
}

std::vector<double> CustomDenoiser::breakpoints(const Function& f, const Interval& zeros) const {
  std::vector<double> places{zeros.lower, zeros.upper};
  for (const double kink : penalty_->kinks)
    for (const int side : {-1, 1}) {
      const double x = f.origin(kink, side);
      places.push_back(x);
      if (general_) places.push_back(-x);
    }
  std::erase_if(places, [](double x) { return !std::isfinite(x); });
  std::sort(places.begin(), places.end());
  places.erase(std::unique(places.begin(), places.end()), places.end());
  return places;
}

SpectralFunction CustomDenoiser::function(const Law& law, const Conjugates& conjugates) const {
  const auto f = std::make_shared<const Function>(*this, conjugates);
  const double cut = negative_ ? -std::numeric_limits<double>::infinity() : zeros(*f, law.hull()).upper;
  return {cut, 0, 1, f};
}

namespace {

/// Integrals over eigenvalues of M and what f makes of them.
struct Integrals {
  double square = 0, response = 0, field = 0, mean = 0, posterior = 0, penalty = 0, zeros = 0;
};

Integrals integrate(const std::vector<Law::Node>& nodes, const BentFunction& f, const model::CustomPenalty& penalty,
                    const Spectrum& signal, double variance, const Interval& zeros, bool general) {
  std::vector<double> x;
  for (const Law::Node& node : nodes) x.push_back(node.x);
  std::vector<double> s = f.at(x);
  for (std::size_t i = 0; i < x.size(); ++i)
    if (x[i] >= zeros.lower && x[i] <= zeros.upper) s[i] = 0;
  std::vector<double> penalised = s;
  for (double& value : penalised) value = general ? std::abs(value) : value;
  const std::vector<double> p = values_of(penalty, penalised);
  Integrals over;
  const bool weak = signal.second_moment() <= kWeakSignal * variance;
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    const double weighted = nodes[i].weight * s[i];
    over.square += weighted * s[i];
    over.response += weighted * 2 * nodes[i].g.real();
    over.field += weighted * x[i];
    over.mean += weighted;
    over.penalty += nodes[i].weight * p[i];
    if (s[i] == 0) over.zeros += nodes[i].weight;
    if (weak) over.posterior += weighted * posterior_mean(signal, variance, nodes[i]);
  }
  return over;
}

}  // namespace

Denoiser::Result CustomDenoiser::evaluate(const Spectrum& target, const Conjugates& conjugates, int,
                                          PriorWorkspace*) const {
  const Law law = noisy_target(target, conjugates);
  const Spectrum signal = target.scaled(conjugates.m_hat);
  const Function f(*this, conjugates);
  const Interval none = zeros(f, law.hull());
  const std::vector<double> bends = breakpoints(f, none);
  const Law::Quadrature quadrature = law.quadrature(bends);
  const Integrals over = integrate(quadrature.nodes, f, *penalty_, signal, conjugates.q_hat, none, general_);
  Result result;
  const double q_hat = conjugates.q_hat, m_hat = conjugates.m_hat;
  const bool weak = signal.second_moment() <= kWeakSignal * q_hat;
  result.overlaps.q = over.square;
  result.overlaps.V = over.response;
  if (m_hat == 0)
    result.overlaps.m = target.mean() * over.mean;
  else
    result.overlaps.m = (weak ? over.posterior : over.field - q_hat * over.response) / m_hat;
  result.penalty = over.penalty;
  result.zero_mass = std::clamp(over.zeros, 0.0, 1.0);
  // Mass and moments say nothing of what f does between breakpoints: half as many nodes more do.
  constexpr int kPieces = 8;
  std::vector<double> finer = bends;
  const Interval hull = law.hull();
  for (int i = 1; i < kPieces; ++i) finer.push_back(hull.lower + (hull.upper - hull.lower) * i / kPieces);
  std::sort(finer.begin(), finer.end());
  const Integrals check =
      integrate(law.quadrature(finer).nodes, f, *penalty_, signal, conjugates.q_hat, none, general_);
  const double difference = over.square > 0 ? std::abs(check.square - over.square) / over.square : 0;
  result.law_error = std::max(quadrature.error(), difference);
  return result;
}

Sectors CustomDenoiser::squared_response(const Law& law, const Conjugates& conjugates) const {
  constexpr double kTolerance = 1e-6;
  const Function f(*this, conjugates);
  const std::vector<Law::Node> nodes = law.quadrature(breakpoints(f, zeros(f, law.hull())), kTolerance).nodes;
  std::vector<double> x;
  for (const Law::Node& node : nodes) x.push_back(node.x);
  const std::vector<double> s = f.at(x), slopes = f.slopes(x);
  double sum = 0;
  for (std::size_t i = 0; i < nodes.size(); ++i)
    for (std::size_t j = 0; j < nodes.size(); ++j)
      sum += nodes[i].weight * nodes[j].weight * std::pow(i == j ? slopes[i] : (s[i] - s[j]) / (x[i] - x[j]), 2);
  return {sum, 0};
}

}  // namespace attnlaw::theory
