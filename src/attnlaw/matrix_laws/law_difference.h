#pragma once
/// Measures the distance of two laws from each other.

#include <functional>
#include <span>
#include <vector>

#include "attnlaw/matrix_laws/law.h"

namespace attnlaw::matrix_laws {

/// Returns P(X ≤ x) at every x of an ascending list. It agrees with Law::cdf, but one quadrature serves all x, at the
/// cost of a panel of nodes for each.
std::vector<double> cdf_at(const Law& law, std::span<const double> ascending);

/// The difference F_a − F_b of the distribution functions of two laws without atoms.
class LawDifference {
 public:
  /// Throws std::invalid_argument if a law has atoms.
  LawDifference(Law a, Law b);

  /// Returns sup |F_a − F_b|.
  double kolmogorov() const;

  /// Returns the Wasserstein distance W₁ between the laws of φ(X) for an increasing φ: ∫ |F_a − F_b| dφ.
  double wasserstein(const std::function<double(double)>& phi) const;

 private:
  double at(double x) const { return a_.cdf(x) - b_.cdf(x); }
  /// Returns max |F_a − F_b| between two points of the grid.
  double largest_between(double lower, double upper) const;

  Law a_;
  Law b_;
  std::vector<double> grid_;        ///< the nodes of both laws, ascending
  std::vector<double> difference_;  ///< F_a − F_b on the grid
  std::vector<double> crossings_;   ///< places where F_a − F_b changes its sign, ascending
};

}  // namespace attnlaw::matrix_laws
