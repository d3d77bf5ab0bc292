#pragma once
/// What the null law of independent factors says of the symmetric part (S + Sᵀ)/2 of S = W_Qᵀ W_K, and of its complex
/// eigenvalues.

#include "attnlaw/matrix_laws/spectrum.h"

namespace attnlaw::matrix_laws {

/// The law of u = e/(σ_Q σ_K d/2) over the d eigenvalues e of (S + Sᵀ)/2 for the factors of FactorProductLaw. It is
/// symmetric, with an atom of mass 1 − 2β at 0 if β < 1/2, and is the law of a ProductSpectrum with κ = 2β in units of
/// its jump: u = 1/g + 2β g/(1 − g²) (product_law.h; docs/theory/query_key_nulls.md, section 2).
class SymmetricPartLaw {
 public:
  /// Throws std::invalid_argument unless 0 < β ≤ 1.
  explicit SymmetricPartLaw(double beta);

  /// Returns the positive band; its lower end is 0 for β ≥ 1/2.
  Interval band() const { return band_; }
  /// Returns the mass of all d eigenvalues above u.
  double mass_above(double u) const;
  /// Returns c of ρ(u) ≈ (c/π) √(u₊ − u), for the law over all d eigenvalues.
  double edge_coefficient() const;

 private:
  double beta_;
  Interval band_;
};

/// Returns the share of the m nonzero complex eigenvalues λ with |λ| ≤ r σ_Q σ_K d. All have |λ| ≤ √β σ_Q σ_K d.
double ring_mass(double beta, double r);

}  // namespace attnlaw::matrix_laws
