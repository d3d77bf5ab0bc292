#pragma once
/// Closed forms of ProductSpectrum and of its sum with a semicircle, in units of its jump b (docs/theory/
/// cross_attention.md): z = 1/g + κ g/(1 − g²) for the law itself, plus a² g for the sum. All is written in h = 1/g,
/// z = h + a²/h + κ h/(h² − 1), which no limit of κ and a² makes singular.

#include <optional>

#include "attnlaw/matrix_laws/spectrum.h"

namespace attnlaw::matrix_laws {

/// Support of the density on the positive side; the lower end is 0 for κ ≥ 1.
Interval product_bulk(double kappa);

/// G and G′ at w; at x + i0 for real x inside the support. w ≠ 0 if κ ≤ 1.
Stieltjes product_stieltjes(double kappa, Complex w);

/// The support of the sum on the positive side: that of the density around 0, which the atom of the spectrum has been
/// smeared to (for κ < 1 and small variance), if it is a band of its own, and the outer band, whose lower end is 0 if
/// there is no gap.
struct ProductSumBands {
  std::optional<double> inner;  ///< upper end of the band around 0
  Interval outer;
  double gap = 0;  ///< if there is an inner band, a w between the atom at 0 and the bulk with −G′(w) < 1/a²
};
ProductSumBands product_sum_bands(double kappa, double variance);

/// g of the sum at x + i0 for x inside a band, the root of a quartic with Im g < 0: on the real line no more than two
/// roots are complex. `nearby`: g at a nearby x, or 0.
Complex product_sum_stieltjes(double kappa, double variance, double x, Complex nearby);

}  // namespace attnlaw::matrix_laws
