#pragma once
/// Computes the spectrum of the label-weighted operator M = (1/n) Σ_μ T(y_μ) φ_μ φ_μᵀ at δ = n/p: bulk edges, outliers,
/// overlaps, thresholds of emergence (docs/theory/lofi.md, section 2).
///
/// ```cpp
/// #include <cstdio>
/// #include <vector>
///
/// #include "attnlaw/laws/filtering/significance.h"
///
/// // Weights ±1 for labels that are pure noise: where does the spectrum of M end, and what is significant above it?
/// const std::vector<double> weights{-1, 1, 1, -1};
/// const attnlaw::laws::LofiLaw law(attnlaw::laws::WeightLaw::of_sample(weights), 4);  // n = 4p
/// const attnlaw::laws::LofiEdge& edge = law.upper_edge();
/// const double significant = attnlaw::laws::outlier_threshold(edge, 0.01, 500);  // p = 500
/// std::printf("upper edge %.4f; %.4f has a p-value of 1 %%\n", edge.eigenvalue, significant);
/// ```

#include <Eigen/Core>
#include <span>
#include <vector>

namespace attnlaw::laws {

/// The law of the weights T as nodes t with probabilities: a quadrature, or the sample itself.
struct WeightLaw {
  Eigen::ArrayXd t;
  Eigen::ArrayXd probability;  ///< ≥ 0 up to rounding, sum 1

  /// Throws std::invalid_argument unless there are two arrays of one size ≥ 1, finite, and not all t are 0.
  WeightLaw(Eigen::ArrayXd values, Eigen::ArrayXd probabilities);
  /// Returns the plug-in law, with equal probabilities, which needs no model of the labels.
  static WeightLaw of_sample(std::span<const double> t);

  double mean() const { return (probability * t).sum(); }
  double second_moment() const { return (probability * t.square()).sum(); }
  /// Returns the law of −T, because the lower end of the spectrum of M is the upper one of −M.
  WeightLaw negated() const { return {-t, probability}; }
};

/// The E[s sᵀ | node] of the relevant coordinates s ∈ R^r, E s sᵀ = I, one row per node. It has r columns, the
/// diagonal, if all off-diagonal entries vanish (as they do under the symmetry s_j → −s_j), otherwise r².
struct RelevantMoments {
  Eigen::ArrayXXd moments;
  int r = 1;
  bool diagonal() const { return moments.cols() == r; }
};

/// The upper edge of a bulk.
struct LofiEdge {
  double lambda = 0;      ///< λ̄, where ψ is least
  double eigenvalue = 0;  ///< E₊ = ψ(λ̄)
  double density = 0;     ///< c of the density (c/π)√(E₊ − x); 0 if the edge is the atom at 0
};

/// The density of the bulk at one place.
struct LofiDensity {
  double x = 0;
  double density = 0;
};

/// An eigenvalue above the upper edge.
struct LofiOutlier {
  double eigenvalue = 0;
  double overlap = 0;         ///< squared overlap of its eigenvector with `direction`, in (0, 1)
  Eigen::VectorXd direction;  ///< unit vector among the relevant coordinates
};

/// The law of M for white Gaussian φ ∈ R^p as n, p → ∞ at δ = n/p. Outside the bulk z = ψ(λ) = λ/δ + E[λT/(λ−T)] with λ
/// > max(T, 0).
class LofiLaw {
 public:
  /// Throws std::invalid_argument unless δ is finite and > 0.
  LofiLaw(WeightLaw weights, double delta);

  double delta() const { return delta_; }
  const WeightLaw& weights() const { return weights_; }
  const LofiEdge& upper_edge() const { return edge_; }
  double psi(double lambda) const;
  double psi_slope(double lambda) const;

  /// Returns the density of the bulk at up to points + 1 places from end to end, ascending in x; it is 0 between bands.
  /// With λ = u + iv on the curve where ψ is real, E[T²/((u−T)²+v²)] = 1/δ, it is δ v/(π(u²+v²)) at x = ψ(λ); its
  /// integral is 1 − zero_mass().
  std::vector<LofiDensity> density(int points = 400) const;
  /// Returns the mass of the atom at 0: max(0, 1 − δ P(T ≠ 0)).
  double zero_mass() const;

  /// Returns the outliers above the edge, the largest first: roots of det(ψ(λ) I − E[λT/(λ−T) s sᵀ]).
  std::vector<LofiOutlier> outliers(const RelevantMoments& relevant) const;

 private:
  WeightLaw weights_;
  double delta_;
  LofiEdge edge_;
};

/// The δ above which a direction has an outlier at the upper end; infinite where there is none at any δ (E[T(v·s)²] ≤
/// E[T]). emergence_thresholds returns those of all r directions, ascending in δ.
struct LofiThreshold {
  double delta = 0;
  Eigen::VectorXd direction;
};
std::vector<LofiThreshold> emergence_thresholds(const WeightLaw& weights, const RelevantMoments& relevant);

/// Returns E T²/θ², which a large threshold δ_j tends to; the squared overlap is then 1 − δ_j/δ.
double large_delta_threshold(const WeightLaw& weights, double theta);

/// Returns the squared overlap of b = (1/n) Σ T φ with E[T φ], a direction of length β: β²/(β² + E T²/δ). It has no
/// threshold.
double degree_one_overlap(double second_moment, double beta, double delta);

}  // namespace attnlaw::laws
