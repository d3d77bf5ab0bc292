#include "attnlaw/model/spectral_start.h"

#include <algorithm>
#include <cmath>

#include "attnlaw/base/reject.h"
#include "attnlaw/matrix_laws/semicircle_sum.h"

namespace attnlaw::model {
namespace {

using matrix_laws::Law;
using matrix_laws::Spectrum;

/// Computes the overlaps of functions of R = S* + aZ with S*.
class EstimateOverlaps {
 public:
  EstimateOverlaps(const Spectrum& target, double variance)
      : law_(matrix_laws::semicircle_sum(target, variance)),
        variance_(variance),
        Q_star_(target.second_moment()),
        nodes_(nodes_split_at(0)) {}

  /// Takes f(x) = x.
  SpectralStart linear() const {
    return of(nodes_, [](const Law::Node& node) { return node.x; });
  }
  /// Takes f(x) = max(0, x).
  SpectralStart positive() const { return above(nodes_, 0); }
  /// Takes f(x) = max(0, x) for the largest eigenvalues, a fraction of all, and 0 for the others.
  SpectralStart positive(double fraction) const {
    const double threshold = fraction < 1 ? std::max(0.0, law_.quantile(1 - fraction)) : 0;
    return threshold > 0 ? above(nodes_split_at(threshold), threshold) : positive();
  }
  /// Takes f(x) = x − 2a² Re g(x).
  SpectralStart best() const {
    return of(nodes_, [this](const Law::Node& node) { return node.x - 2 * variance_ * node.g.real(); });
  }

 private:
  using Nodes = std::vector<Law::Node>;

  Nodes nodes_split_at(double kink) const { return law_.quadrature(std::span(&kink, 1)).nodes; }

  SpectralStart above(const Nodes& nodes, double threshold) const {
    return of(nodes, [=](const Law::Node& node) { return node.x > threshold ? node.x : 0.0; });
  }

  /// Computes q = ∫f²ρ and m = ∫f E[S*|x] ρ, where E[S*|x] = x − 2a² Re g.
  template <class Function>
  SpectralStart of(const Nodes& nodes, Function f) const {
    SpectralStart start;
    for (const Law::Node& node : nodes) {
      const double value = f(node);
      start.q += node.weight * value * value;
      start.m += node.weight * value * (node.x - 2 * variance_ * node.g.real());
    }
    start.cosine = start.m / std::sqrt(start.q * Q_star_);
    return start;
  }

  Law law_;
  double variance_, Q_star_;
  Nodes nodes_;
};

SpectralStart scaled(SpectralStart start, double factor) {
  start.q *= factor * factor;
  start.m *= factor;
  return start;
}

}  // namespace

double spectral_start_variance(double Q_star, double noise, double alpha, int observed_scores, double efficiency) {
  if (!(Q_star > 0) || !(noise >= 0) || !(alpha > 0) || observed_scores < 1 || !(efficiency > 0) || efficiency > 1)
    base::reject(
        "a spectral start needs Q* > 0, noise >= 0, alpha > 0, labels that show a score and efficiency in (0, 1], got "
        "{}, "
        "{}, {}, {} scores, {}",
        Q_star, noise, alpha, observed_scores, efficiency);
  return (Q_star + noise) / (2 * alpha * observed_scores * efficiency);
}

double spectral_start_variance(const Problem& problem, double Q_star) {
  return spectral_start_variance(Q_star, problem.noise, problem.alpha, problem.observed_score_count());
}

SpectralStarts spectral_starts(const Spectrum& target, double variance) {
  const EstimateOverlaps estimate(target, variance);
  SpectralStarts starts{estimate.linear(), estimate.positive(), estimate.best()};
  starts.estimation = target.second_moment() - starts.best.q;
  return starts;
}

bool has_spectral_start(const Problem& problem) {
  return !problem.cross() && problem.labels_are_outputs() && problem.student != Student::untied;
}

double spectral_shrinkage(const Problem& problem) {
  const double Q_star = problem.target.Q_star();
  return Q_star / (Q_star + spectral_start_variance(problem, Q_star));
}

SpectralStart spectral_start(const Problem& problem, const Spectrum& target) {
  const EstimateOverlaps estimate(target, spectral_start_variance(problem, target.second_moment()));
  const double units = problem.beta_ratio();
  switch (problem.student) {
    case Student::tied:
      return scaled(estimate.positive(problem.width), units);
    case Student::direct:
    case Student::direct_general:
      return scaled(estimate.linear(), units * spectral_shrinkage(problem));
    case Student::untied:
    case Student::bayes:
      break;
  }
  return estimate.best();
}

}  // namespace attnlaw::model
