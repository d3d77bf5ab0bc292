#pragma once
/// Gives closed forms of ProductSpectrum and of its sum with a semicircle, in units of its jump b
/// (docs/theory/cross_attention.md): z = 1/g + κ g/(1 − g²) for the law itself, plus a² g for the sum. All is written
/// in h = 1/g, z = h + a²/h + κ h/(h² − 1), which no limit of κ and a² makes singular.

#include <optional>

#include "attnlaw/matrix_laws/spectrum.h"

namespace attnlaw::matrix_laws {

/// Returns the support of the density on the positive side; the lower end is 0 for κ ≥ 1.
Interval product_bulk(double kappa);

/// Returns G and G′ at w, for a real w inside the support those at w + i0. For κ ≤ 1, w must not be 0.
Stieltjes product_stieltjes(double kappa, Complex w);

/// The support of the sum on the positive side. For κ < 1 and a small variance the atom of the spectrum is smeared to a
/// band of its own around 0; if it is not, there is no inner band and the outer one begins at 0.
struct ProductSumBands {
  std::optional<double> inner;  ///< the upper end of the band around 0
  Interval outer;
  double gap = 0;  ///< with an inner band: a w between the atom at 0 and the bulk where −G′(w) < 1/a²
};
ProductSumBands product_sum_bands(double kappa, double variance);

/// Returns g of the sum at x + i0 for x inside a band: the root with Im g < 0 of a quartic, which has at most two
/// complex roots there. `nearby` is g at a nearby x, from which the search starts, or 0.
Complex product_sum_stieltjes(double kappa, double variance, double x, Complex nearby);

}  // namespace attnlaw::matrix_laws
