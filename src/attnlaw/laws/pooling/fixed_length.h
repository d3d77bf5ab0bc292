#pragma once
/// Computes the bulk of attention-pooled covariances for sequences of fixed length (docs/theory/pooling.md, section 5).
///
/// N sequences of L tokens leave a sparse matrix A of weighted counts: a token recurs Poisson(N/V) times at every
/// position. The law is MP_δ ⊠ ν, ν the spectrum of (V/N) AᵀA, for which pooling_law puts a Marchenko-Pastur law. ν is
/// that of a random tree: ∫ν(dt)/(1+Xt) = E r with
///   r = 1/(1 + (X/c) Σ_l Σ_{k ≤ Poisson(c)} w_l²/(1 + (X/c) Σ_{l' ≠ l} w_l'² r_{l',k})),   c = N/V = δ/γ.

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

#include "attnlaw/laws/pooling/bulk.h"

namespace attnlaw::laws {

/// Computes E r from a population of r: numbers of occurrences are stratified, partners drawn once and for all, so that
/// E r is an analytic function of X. Its sampling error is a few 1e-3 of the spread of r; without other tokens (L = 1)
/// it is exact but for the stratification.
class SparseCounts {
 public:
  /// Throws std::invalid_argument unless there are 1 to kMostPositions weights, not all zero, and 0 < N/V ≤
  /// kMostCounts.
  SparseCounts(std::span<const double> weights, double sequences_per_token, std::size_t population);

  /// Returns E r at X off the negative real axis. The population is left at its fixed point for that X, from which the
  /// next call starts.
  matrix_laws::Complex mean_resolvent(matrix_laws::Complex X);

  /// Puts the population back to r = 1.
  void reset() { std::fill(r_.begin(), r_.end(), 1); }

  /// Beyond these numbers the law is that of pooling_law for all purposes.
  static constexpr std::size_t kMostPositions = 32;
  static constexpr double kMostCounts = 32;

 private:
  double sweep(matrix_laws::Complex X);

  std::vector<double> squares_;         ///< w_l²
  double counts_;                       ///< c
  std::vector<std::size_t> first_;      ///< first place in positions_ of each member's sequences, and the end
  std::vector<std::size_t> positions_;  ///< position of the member in each of its sequences
  std::vector<std::uint32_t> others_;   ///< members at the other L − 1 positions of each sequence, in order
  std::vector<matrix_laws::Complex> r_, next_;
};

/// The law on a grid: its density and its distribution function, both smoothed over less than a thousandth of x.
struct FixedLengthLaw {
  double zero_mass = 0;  ///< mass of the atom at 0
  std::vector<double> x;
  std::vector<double> density;
  std::vector<double> cdf;  ///< includes the atom
  double mass_error = 0;    ///< |mass of density and atom − 1|

  /// Returns the distribution function, piecewise linear between the points; the atom counts from 0 on.
  double distribution(double at) const;
};
const base::Description& describe(const FixedLengthLaw*);

/// Returns the law for these weights, whose κ is ‖w‖². Throws std::invalid_argument as SparseCounts and for ratios out
/// of range.
FixedLengthLaw fixed_length_law(const PoolingRatios& ratios, std::span<const double> weights);

/// Returns sup |F − F_∞|, F_∞ the distribution function of pooling_law at κ, that of the weights.
double fixed_length_distance(const FixedLengthLaw& law, const PoolingRatios& ratios, double kappa);

}  // namespace attnlaw::laws
