#pragma once
/// Computes the quadratic form h = Σ_j a_j (s_j² − 1)/√(2Σa²) of s ~ N(0, I) and its exact law (docs/theory/lofi.md,
/// section 3).

#include <Eigen/Core>
#include <span>

namespace attnlaw::laws {

/// Returns √(2Σa²); divided by it, a form has variance 1.
double form_norm(std::span<const double> a);
/// Returns h at s, given norm = form_norm(a).
double quadratic_form(std::span<const double> a, std::span<const double> s, double norm);

/// The law of h and E[s_j² | h], at nodes h.
struct QuadraticFormLaw {
  Eigen::ArrayXd h;
  Eigen::ArrayXd probability;  ///< sums to 1; the tails ripple around 0
  Eigen::ArrayXXd squares;     ///< nodes × r
};

/// A form needs so many directions for its density to be bounded.
inline constexpr int kLeastForm = 4;

/// Computes the law by Fourier inversion on `points` (a power of 2) equidistant h. Expectations of functions with
/// bounded derivative converge like (Δh)^{r/2+1}. Throws std::invalid_argument unless there are 4 or more a, finite,
/// none of them 0.
QuadraticFormLaw quadratic_form_law(std::span<const double> a, std::size_t points = 2048);

/// The law of two independent forms with the same a, at pairs of nodes. Throws as quadratic_form_law.
struct FormPairLaw {
  Eigen::ArrayXd h1, h2, probability;
  Eigen::ArrayXXd first, second;  ///< E[s_j² | h] of either form, nodes × r
};
FormPairLaw form_pair_law(std::span<const double> a);

}  // namespace attnlaw::laws
