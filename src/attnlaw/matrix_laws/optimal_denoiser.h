#pragma once
/// Estimates a rotation-invariant S of known spectrum Bayes-optimally from Y = S + √v Z, Z a GOE matrix with
/// off-diagonal variance 1/d (docs/theory/bayes_optimal.md, section 2).

#include "attnlaw/matrix_laws/law.h"
#include "attnlaw/matrix_laws/spectrum.h"

namespace attnlaw::matrix_laws {

/// The estimator keeps the eigenvectors of Y and maps its eigenvalues by ξ_v(x) = x − 2v Re g_v(x), g_v the Stieltjes
/// transform of the law of Y.
class OptimalDenoiser {
 public:
  /// Throws std::invalid_argument unless v is finite and > 0.
  OptimalDenoiser(const Spectrum& prior, double variance);

  /// Returns ξ_v at any finite real x: inside the bands of Y, in gaps and beyond the edges, where eigenvalues may stray
  /// at finite d. ξ_v is increasing and continuous. The absolute error is near the rounding of |x| + √v; within a
  /// relative distance δ of an edge it may grow to the √δ that ξ_v itself varies by.
  double operator()(double x) const;

  /// Returns E‖S − ξ_v(Y)‖²_F/d = v [1 − (4π²/3) v ∫ρ_v³], between 0 and the variance of the prior.
  double mean_square_error() const { return mean_square_error_; }

  /// Returns mean_square_error()/v in [0, 1), without cancellation as v → 0 (1 − Σ w_i² over the atoms w_i of the
  /// prior) or v → ∞ (the variance of the prior, over v).
  double response() const { return response_; }

  /// Returns the mutual information of S and Y per d², ½ [∫∫ log|x − y| ρ_v(x) ρ_v(y) dx dy − ½ log v + ¼] ≥ 0. Its
  /// derivative in 1/v is mean_square_error()/4.
  double mutual_information() const;

  /// Returns the nodes of the law of Y and the errors of its mass and moments.
  const Law::Quadrature& quadrature() const { return quadrature_; }

  /// Returns the law of Y.
  const Law& law() const { return law_; }

  /// Returns the images of the bands of Y under ξ_v, ascending: the support of the estimate.
  std::vector<Interval> bands() const;

 private:
  /// Both return Re w of the point w over x on Biane's curve (docs/theory/free_convolution.md), from which ξ = 2 Re w −
  /// x. Outside the bands w is real and lies between the ends of two bands of the curve, `parameters` (infinite beyond
  /// the outermost).
  double subordinate_inside(double x) const;
  double subordinate_outside(double x, Interval parameters) const;

  Spectrum prior_;
  double variance_;
  Law law_;
  std::vector<Law::Band> curve_;  ///< the bands of the law, in the parameter u of Biane's curve
  Law::Quadrature quadrature_;
  double mean_square_error_ = 0;
  double response_ = 0;
};

/// Returns Σ w_i² over the atoms of a spectrum. 1 − Σ w_i² is twice the dimension of the orbit of S per d².
double atom_collision(const Spectrum& spectrum);

}  // namespace attnlaw::matrix_laws
