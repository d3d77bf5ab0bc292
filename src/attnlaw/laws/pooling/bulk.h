#pragma once
/// Computes the bulk of attention-pooled covariances: κ times the product of two free Marchenko-Pastur laws of mean 1
/// (docs/theory/pooling.md, section 2). Its points are x = F(s), F(s)/κ = (s+1)(s+δ)(s+γ)/s², for s on a curve in the
/// upper half plane; a spike puts an outlier at F(s) for a real s beyond the ends of that curve.

#include <vector>

#include "attnlaw/base/describe.h"
#include "attnlaw/matrix_laws/law.h"

namespace attnlaw::laws {

/// δ = d/V (dimension over vocabulary) and γ = d/N (dimension over sequences).
struct PoolingRatios {
  double delta = 0;
  double gamma = 0;
};
const base::Description& describe(const PoolingRatios*);

/// Throws std::invalid_argument unless both ratios are finite and > 0.
void require_valid(const PoolingRatios& ratios);

/// Returns F(s)/κ for s ≠ 0.
double pooling_map(const PoolingRatios& ratios, double s);

/// The s at the two edges of the band: the most negative and the positive root of s³ − (δ+γ+δγ)s − 2δγ = 0.
struct CriticalPoints {
  double lower = 0;
  double upper = 0;
};
CriticalPoints critical_points(const PoolingRatios& ratios);

/// Returns the law κ (MP_δ ⊠ MP_γ): one band, and an atom of mass 1 − 1/max(1, δ, γ) at 0. Where the two largest of 1,
/// δ, γ agree the band begins at 0 and its density diverges there. Throws std::invalid_argument unless the ratios and κ
/// are finite and > 0.
matrix_laws::Law pooling_law(const PoolingRatios& ratios, double kappa = 1);

/// Points of the density along the band, ascending in x, closer towards the edges; pooling_density returns `count` of
/// them.
struct PoolingDensity {
  std::vector<double> x;
  std::vector<double> density;
};
const base::Description& describe(const PoolingDensity*);
PoolingDensity pooling_density(const PoolingRatios& ratios, double kappa, int count);

/// Returns G(x) = ∫ρ(t)/(x−t) dt of the law at κ = 1; for x inside the band, the limit from above.
matrix_laws::Complex pooling_stieltjes(const PoolingRatios& ratios, matrix_laws::Complex x);

/// Returns ∫ xⁿ ρ(x) dx of the law at κ = 1 for n ≥ 1: (1/n) Σ_{i+j+k=n−1} C(n,i) C(n,j) C(n,k) δʲ γᵏ.
double pooling_moment(const PoolingRatios& ratios, int n);

/// Returns the c in ρ(x) ≈ c √(λ₊ − x) below the upper edge λ₊, at κ = 1.
double upper_edge_coefficient(const PoolingRatios& ratios);

}  // namespace attnlaw::laws
