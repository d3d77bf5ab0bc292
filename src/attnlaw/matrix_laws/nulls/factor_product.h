#pragma once
/// The null law of query-key maps: squared singular values of W_Qᵀ W_K for independent factors of independent entries.
///
/// ```cpp
/// #include <cstdio>
///
/// #include "attnlaw/matrix_laws/nulls/factor_product.h"
///
/// // Heads of 64 rows in a model of 768: squared singular values over σ_Q² σ_K² d².
/// const attnlaw::matrix_laws::FactorProductLaw law(64.0 / 768);
/// std::printf("edge %.6f, median %.6f\n", law.support().upper, law.quantile(0.5));
/// ```

#include "attnlaw/matrix_laws/spectrum.h"

namespace attnlaw::matrix_laws {

/// The law of y = s²/(σ_Q² σ_K² d²), the m squared singular values of W_Qᵀ W_K in their null unit, for two independent
/// m×d factors of independent entries with variances σ_Q², σ_K², as d → ∞ at β = m/d. It is the free product of two
/// Marchenko-Pastur laws. With w = x G(x) − 1, G its Stieltjes transform, x w = (1 + w)(1 + β w)²
/// (docs/theory/query_key_nulls.md, section 2).
class FactorProductLaw {
 public:
  /// Throws std::invalid_argument unless 0 < β ≤ 1.
  explicit FactorProductLaw(double beta);

  double beta() const { return beta_; }
  /// Returns [x₋, x₊]; x₋ = 0 for β = 1.
  Interval support() const { return support_; }
  /// Returns w₊, the value of w at the upper edge.
  double edge_transform() const { return edge_transform_; }
  /// Returns c of ρ(x) ≈ (c/π) √(x₊ − x) at the upper edge.
  double edge_coefficient() const;

  /// Returns ρ(x); 0 outside the support.
  double density(double x) const;
  /// Returns P(y > x) in closed form.
  double mass_above(double x) const;
  /// Returns the x with P(y > x) = mass. Throws std::domain_error unless 0 < mass < 1.
  double value_above(double mass) const;
  /// Returns the x with P(y ≤ x) = p.
  double quantile(double p) const { return value_above(1 - p); }
  /// Returns E yⁿ for n ≥ 1.
  double moment(int n) const;

 private:
  /// Returns 1 + β w at x + i0 for x inside the support: the root with a negative imaginary part.
  Complex shifted_transform(double x) const;

  double beta_;
  double edge_transform_;
  Interval support_;
};

/// Returns x(w) = (1 + w)(1 + β w)²/w.
double factor_product_position(double beta, double w);

}  // namespace attnlaw::matrix_laws
