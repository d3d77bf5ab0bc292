#pragma once
/// Bayes-optimal estimation of a rotation-invariant S of known spectrum from Y = S + √v Z, Z a GOE matrix with
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

  /// ξ_v at any real x: inside the bands of Y, in gaps and beyond the edges (stragglers at finite d).
  double operator()(double x) const;

  /// E‖S − ξ_v(Y)‖²_F/d = v [1 − (4π²/3) v ∫ρ_v³].
  double mean_square_error() const;

  /// f(v) = mean_square_error()/v, without cancellation as v → 0: 1 − Σ w_i² at v = 0 over the atoms w_i of the prior.
  double response() const;

  /// The law of Y.
  const Law& law() const { return law_; }

 private:
  Spectrum prior_;
  double variance_;
  Law law_;
};

/// Σ w_i² over the atoms of a spectrum: 1 − Σ w_i² is twice the dimension of the orbit of S per d².
double atom_collision(const Spectrum& spectrum);

}  // namespace attnlaw::matrix_laws
