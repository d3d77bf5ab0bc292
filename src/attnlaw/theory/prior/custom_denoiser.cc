#include "attnlaw/theory/prior/custom_denoiser.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

namespace attnlaw::theory {

using matrix_laws::Interval;
using matrix_laws::Law;
using matrix_laws::Spectrum;

/// f at given conjugates on a hull of eigenvalues; odd on singular values.
class CustomDenoiser::Function final : public BentFunction {
 public:
  Function(const CustomDenoiser& of, const Conjugates& conjugates, const Interval& hull)
      : V_hat_(conjugates.V_hat),
        general_(of.general_),
        proximal_(of.penalty_, of.lambda_, conjugates.V_hat / of.symmetry_, of.negative_),
        table_(proximal_.table_up_to(kRoom * std::max(std::abs(hull.lower), std::abs(hull.upper)) / V_hat_)),
        jumps_(proximal_.jumps(table_)),
        kinks_(of.penalty_->kinks) {
    // Eigenvalues of one sign bend at 0 where the cut is.
    if (of.negative_) kinks_.push_back(0);
    for (const double kink : kinks_) flats_.push_back({end_of(kink, -1), end_of(kink, 1)});
  }

  std::vector<double> at(const std::vector<double>& x) const override {
    std::vector<double> scaled;
    double largest = 0;
    for (const double each : x) {
      scaled.push_back((general_ ? std::abs(each) : each) / V_hat_);
      largest = std::max(largest, std::abs(scaled.back()));
    }
    std::vector<double> s = largest > table_.largest ? proximal_(scaled) : proximal_(scaled, table_);
    for (std::size_t i = 0; general_ && i < x.size(); ++i) s[i] = std::copysign(s[i], x[i]);
    return s;
  }

  std::vector<double> slopes(const std::vector<double>& x) const override {
    constexpr double kStep = 1e-5;
    const std::vector<double> places = bends();
    std::vector<double> ends;
    for (const double each : x) {
      // To the right, where a cut is to the left; not over a bend.
      const double step = kStep * std::max(std::abs(each), V_hat_);
      const auto next = std::lower_bound(places.begin(), places.end(), each);
      ends.insert(ends.end(), {each, next != places.end() && *next <= each + step ? each - step : each + step});
    }
    const std::vector<double> s = at(ends);
    std::vector<double> slopes;
    for (std::size_t i = 0; i < x.size(); ++i) {
      const double slope = (s[2 * i + 1] - s[2 * i]) / (ends[2 * i + 1] - ends[2 * i]);
      slopes.push_back(flat(x[i]) ? 0 : std::max(slope, 0.0));
    }
    return slopes;
  }

  double inverse(double s) const override {
    const auto over =
        std::find_if(jumps_.begin(), jumps_.end(), [s](const auto& jump) { return s >= jump.below && s < jump.above; });
    return over != jumps_.end() ? V_hat_ * over->x : V_hat_ * proximal_.origin(s, 1);
  }

  std::vector<double> jumps() const override {
    std::vector<double> places;
    for (const auto& jump : jumps_) places.push_back(V_hat_ * jump.x);
    return on_both_sides(std::move(places));
  }
  std::vector<double> bends() const override {
    std::vector<double> places = jumps();
    for (const double kink : kinks_)
      for (const int side : {-1, 1}) places.push_back(end_of(kink, side));
    return on_both_sides(std::move(places));
  }

  /// The last x on one side that is taken to s.
  double end_of(double s, int side) const {
    const auto from = std::find_if(jumps_.begin(), jumps_.end(),
                                   [s, side](const auto& jump) { return (side > 0 ? jump.below : jump.above) == s; });
    return V_hat_ * (from != jumps_.end() ? from->x : proximal_.origin(s, side));
  }

 private:
  /// Whether a kink of p takes all of a neighbourhood to one eigenvalue: differences there are rounding.
  bool flat(double x) const {
    const double at = general_ ? std::abs(x) : x;
    return std::any_of(flats_.begin(), flats_.end(),
                       [at](const Interval& flat) { return at >= flat.lower && at <= flat.upper; });
  }

  /// The places in order, on singular values with those of the odd continuation.
  std::vector<double> on_both_sides(std::vector<double> places) const {
    std::erase_if(places, [](double x) { return !std::isfinite(x); });
    if (general_)
      for (std::size_t i = places.size(); i-- > 0;) places.push_back(-places[i]);
    std::sort(places.begin(), places.end());
    places.erase(std::unique(places.begin(), places.end()), places.end());
    return places;
  }

  /// Differences beside the ends of the hull are in the table as well.
  static constexpr double kRoom = 1.01;

  double V_hat_;
  bool general_;
  model::ScalarProximal proximal_;
  model::ScalarProximal::Table table_;
  std::vector<model::ScalarProximal::Jump> jumps_;
  std::vector<double> kinks_;
  std::vector<Interval> flats_;
};

CustomDenoiser::CustomDenoiser(const model::Problem& problem, double lambda)
    : penalty_(penalty_at(lambda, problem.custom_penalty)),
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
  constexpr double kBeside = 1e-5;
  const double scale = std::max(std::abs(hull.lower), std::abs(hull.upper));
  const auto end = [&](int side) {
    // Where f jumps from 0, or rounding hides where it leaves it, that is no more than a guess.
    const double expected = f.end_of(0, side), beside = side * kBeside * scale;
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
  std::vector<double> places = f.bends();
  for (const double end : {zeros.lower, zeros.upper})
    if (std::isfinite(end)) places.push_back(end);
  std::sort(places.begin(), places.end());
  places.erase(std::unique(places.begin(), places.end()), places.end());
  return places;
}

SpectralFunction CustomDenoiser::function(const Law& law, const Conjugates& conjugates) const {
  const auto f = std::make_shared<const Function>(*this, conjugates, law.hull());
  const double cut = negative_ ? -std::numeric_limits<double>::infinity() : zeros(*f, law.hull()).upper;
  return {cut, 0, 1, f};
}

namespace {

/// DenoisedIntegrals over eigenvalues of M and what f makes of them; `posterior` of a weak signal alone.
struct DenoisedIntegrals {
  double square = 0, response = 0, field = 0, mean = 0, posterior = 0, penalty = 0, zeros = 0;
};

DenoisedIntegrals integrate(const std::vector<Law::Node>& nodes, const BentFunction& f,
                            const model::CustomPenalty& penalty, const Spectrum* weak_signal, double variance,
                            const Interval& zeros, bool general) {
  std::vector<double> x;
  for (const Law::Node& node : nodes) x.push_back(node.x);
  std::vector<double> s = f.at(x);
  for (std::size_t i = 0; i < x.size(); ++i)
    if (x[i] >= zeros.lower && x[i] <= zeros.upper) s[i] = 0;
  std::vector<double> penalised = s;
  for (double& value : penalised) value = general ? std::abs(value) : value;
  const std::vector<double> p = values_of(penalty, penalised);
  DenoisedIntegrals over;
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    const double weighted = nodes[i].weight * s[i];
    over.square += weighted * s[i];
    over.response += weighted * 2 * nodes[i].g.real();
    over.field += weighted * x[i];
    over.mean += weighted;
    over.penalty += nodes[i].weight * p[i];
    if (s[i] == 0) over.zeros += nodes[i].weight;
    if (weak_signal) over.posterior += weighted * posterior_mean(*weak_signal, variance, nodes[i]);
  }
  return over;
}

}  // namespace

Denoiser::Result CustomDenoiser::evaluate(const Spectrum& target, const Conjugates& conjugates, int,
                                          PriorWorkspace*) const {
  const Law law = noisy_target(target, conjugates);
  const Spectrum signal = target.scaled(conjugates.m_hat);
  const Function f(*this, conjugates, law.hull());
  const Interval none = zeros(f, law.hull());
  const std::vector<double> bends = breakpoints(f, none);
  const Law::Quadrature quadrature = law.quadrature(bends);
  const double q_hat = conjugates.q_hat, m_hat = conjugates.m_hat;
  const bool weak = weak_signal(target, conjugates);
  const auto over_nodes = [&](const std::vector<Law::Node>& nodes) {
    return integrate(nodes, f, *penalty_, weak ? &signal : nullptr, q_hat, none, general_);
  };
  const DenoisedIntegrals over = over_nodes(quadrature.nodes);
  Result result;
  result.overlaps.q = over.square;
  result.overlaps.V = over.response;
  result.overlaps.m = signal_overlap(target, m_hat, over.mean, over.field - q_hat * over.response,
                                     weak ? std::optional(over.posterior) : std::nullopt);
  result.penalty = over.penalty;
  result.zero_mass = std::clamp(over.zeros, 0.0, 1.0);
  // Mass and moments say nothing of what f does between breakpoints: half as many nodes more do.
  constexpr int kPieces = 8;
  std::vector<double> finer = bends;
  const Interval hull = law.hull();
  for (int i = 1; i < kPieces; ++i) finer.push_back(hull.lower + (hull.upper - hull.lower) * i / kPieces);
  std::sort(finer.begin(), finer.end());
  const DenoisedIntegrals check = over_nodes(law.quadrature(finer).nodes);
  const double difference = over.square > 0 ? std::abs(check.square - over.square) / over.square : 0;
  result.law_error = std::max(quadrature.error(), difference);
  return result;
}

Sectors CustomDenoiser::squared_response(const Law& law, const Conjugates& conjugates) const {
  constexpr double kTolerance = 1e-6;
  const Function f(*this, conjugates, law.hull());
  for (const double jump : f.jumps())
    if (law.density(jump) > 0) return {std::numeric_limits<double>::infinity(), 0};
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
