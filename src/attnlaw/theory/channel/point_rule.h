#pragma once
/// Rules for the points of expectations over a label's field and a student's field (docs/theory/quadrature.md).

#include <compare>
#include <cstddef>
#include <limits>
#include <variant>

namespace attnlaw::theory {

/// Scrambled Sobol points for any number of coordinates, 2^log2_points ≥ 2 in each of the independent replicates: pairs
/// (τ, ρ) and (τ, −ρ), so that all odd powers of ρ, the largest part of the error of conjugates, cancel.
struct SobolRule {
  static constexpr int kReplicates = 8;  ///< enough for a standard error of 7 degrees of freedom
  int log2_points = 7;

  auto operator<=>(const SobolRule&) const = default;
};

/// A product grid for fields of one or two coordinates, each a pair (τ, ρ) of standard normals. It serves integrands
/// that are even in every pair, or with `even` = false any.
///
/// τ has a trapezoidal rule; ρ has a Gauss-Hermite rule of `hermite` nodes or, where that is 0, a trapezoidal one of
/// step `noise_step`. A second replicate interleaves the first, shifted by half a step in the first coordinate and with
/// one Hermite node more: what the two differ by tells the error.
struct GridRule {
  double label_step = 0.8;  ///< of τ
  double radius = 4.3;      ///< points with |τ| beyond it are left out
  int hermite = 3;
  double noise_step = 0;
  bool interleaved = true;  ///< there is a second replicate
  /// The grid was made for errors of about e^−digits: no difference of two replicates is believed far below that.
  double digits = std::numeric_limits<double>::infinity();
  bool even = true;  ///< one of every two pairs (τ, ρ) and (−τ, −ρ) stands for both

  auto operator<=>(const GridRule&) const = default;
};

/// Either; a channel need not know which.
using PointRule = std::variant<SobolRule, GridRule>;

/// About how many points a grid has in all.
double grid_size(std::size_t coordinates, const GridRule& rule);

/// Steps and radii that integrate a function which is analytic as far as its imaginary part is `strip`, against a
/// standard normal law, to an error of about e^−`digits` (Trefethen and Weideman, SIAM Review 56 (2014) 385): a
/// trapezoidal rule of step h leaves e^(−2π s/h + s²/2) of a pole at distance s, and e^(−2π²/h²) of the normal law.
double trapezoidal_step(double strip, double digits);
double trapezoidal_radius(double digits);

}  // namespace attnlaw::theory
