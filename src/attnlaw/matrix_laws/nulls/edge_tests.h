#pragma once
/// Tests of a largest value against its null law at finite m and d, by the Tracy-Widom law with the half-integer shift
/// that makes the approximation of second order (docs/theory/query_key_nulls.md, section 2).

namespace attnlaw::matrix_laws {

/// (value − centre)/scale has approximately the Tracy-Widom law.
struct EdgeScale {
  double centre = 0;
  double scale = 1;
};

/// For s₁²/(σ_Q² σ_K²), the largest squared singular value of W_Qᵀ W_K with independent m×d factors of known variances.
EdgeScale factor_product_edge(int m, int d);
/// For the largest eigenvalue of W Wᵀ/σ², or of a tied S (Johnstone, Ann. Statist. 29 (2001) 295).
EdgeScale tied_edge(int m, int d);

/// Both variances are estimated by ‖W‖²/(m d): T = s₁²/(σ̂_Q² σ̂_K²) is then independent of the two norms, which fixes
/// its mean and variance exactly in terms of those of s₁² for known variances. Returns T standardised by these and
/// brought to the mean and variance of the Tracy-Widom law.
double factor_product_score(int m, int d, double t);
/// The same for s₁²/mean(s²), whose denominator contains the value itself: it varies by the factor 1 − x₊/(2m) less
/// than T/d² (calibrated by simulation, m = 16 to 64, m/d = 1/12 to 1/2).
double leading_share_score(int m, int d, double share);
/// Whether both scores keep their level: m ≥ 16 and x₊/(2m) ≤ 0.1, so that the factor above is a small correction.
/// Other heads take a BartlettTable (of null heads of 2×5 the closed form rejects nearly all at 5 %, of 32×32 3.4 %).
bool edge_scores_hold(int m, int d);
/// The same for the largest eigenvalue of W Wᵀ over the estimated variance.
double tied_score(int m, int d, double t);

/// No approximation of a tail has a meaning beyond this.
inline constexpr double kLeastPValue = 1e-12;

/// Returns the tail probability of a score, never less than kLeastPValue.
double edge_p_value(double score);

/// Returns about the 0.99-quantile of the Kolmogorov distance between the m values s²/mean(s²) of a null head and their
/// limit law: eigenvalues are rigid, so that it falls like log(m)/m and not like 1/√m (fit to simulation; null heads of
/// m = 8 to 64, m/d = 1/12 to 1, exceed it in 0.4 to 1.4 % of cases).
double shape_distance_bound(int m);

}  // namespace attnlaw::matrix_laws
