#pragma once
/// Solves the equation behind SoftmaxLaw (docs/theory/softmax_law.md, section 3).

#include <complex>
#include <optional>
#include <vector>

#include "attnlaw/laws/softmax/softmax_law.h"

namespace attnlaw::laws {

/// The equation z = w + ω²/w + w/p + Σ_k v_k w/(w² − c_k v_k) with w = 1/h and p = 1/t on the curve w² = β²
/// (p+ρ)(p+τ)²/p².
///
/// The unknown is q = p + max(ρ, τ), so that small w keep their digits.
class SoftmaxEquation {
 public:
  using Complex = std::complex<double>;

  explicit SoftmaxEquation(const LinearModel& model);

  /// One point of the curve: real, or complex with Im w > 0.
  template <class Number>
  struct Point {
    Number w;
    Number z;
    Number dz_dw;
    Number dw_dq;
  };
  template <class Number>
  Point<Number> at(Number q) const;

  /// Returns h(s + i0) for s inside a band. `nearby_h` is h at the close nearby_s, from which the search starts, or
  /// null. Throws std::runtime_error if no solution is found, which only happens within rounding of an edge.
  Complex solve(double s, const Complex* nearby_h, double nearby_s) const;

  /// An interval of q on which w is real and z can lie outside the support, and the mass of the law above it.
  struct Gap {
    double lower = 0;
    double upper = 0;  ///< infinite for the last one
    double mass_above = 0;
  };
  /// Returns the gaps, ascending in w. The support begins where z turns around, which it does at most once down and up
  /// between the ends of a gap.
  std::vector<Gap> gaps() const;

  double p(double q) const { return q - shift_; }
  /// Returns y = −1/w² at z = 0, where w is imaginary: the density of s there is (2/π) √y.
  double square_at_zero() const;

 private:
  /// Returns q of the point that has this h at z = s, from sums that keep its digits.
  Complex start_from(Complex h, double s) const;
  std::optional<Complex> newton(double s, Complex q) const;
  /// Returns q of all points of the curve with z = ±s, for Gaussian tokens without matrices of features: roots of a
  /// polynomial of degree 8, to what its coefficients tell.
  std::vector<Complex> candidates(double s) const;
  bool physical(Complex q) const;

  double v_;
  double rho_;
  double tau_;
  double noise_;
  double variance_;
  std::vector<FeatureMatrix> features_;
  double shift_;
};

}  // namespace attnlaw::laws
