#pragma once
/// Figures that describe one map without any null law (docs/theory/query_key_nulls.md, section 6).

#include <span>

#include "attnlaw/base/describe.h"
#include "attnlaw/checkpoint/inspection/absent.h"
#include "attnlaw/checkpoint/inspection/factored_map.h"

namespace attnlaw::checkpoint {

/// What the singular values say.
struct RankMeasures {
  double spectral_norm = 0;        ///< s₁
  double frobenius_norm = 0;       ///< ‖S‖
  double stable_rank = 0;          ///< Σ s²/s₁²
  double effective_rank = 0;       ///< exp(−Σ p log p), p = s/Σ s
  double nuclear_rank = 0;         ///< (Σ s)²/Σ s²
  double participation_ratio = 0;  ///< (Σ s²)²/Σ s⁴
};
const base::Description& describe(const RankMeasures*);

/// Takes singular values in descending order. All ranks of a map that is 0 are NaN.
RankMeasures rank_measures(std::span<const double> singular_values);

/// How a map relates its input space to itself; NaN where queries and keys live in different spaces.
struct SymmetryMeasures {
  double symmetry = kAbsent;         ///< τ = Tr S²/‖S‖²
  double symmetric_share = kAbsent;  ///< ‖(S + Sᵀ)/2‖²/‖S‖² = (1 + τ)/2
  double positive_share = kAbsent;   ///< Σ e₊²/Σ e² over the eigenvalues e of (S + Sᵀ)/2
  double trace = kAbsent;            ///< Tr S √d/‖S‖
  double spectral_radius = kAbsent;  ///< max |λ| over its null σ_Q σ_K √(m d)
  double tie = kAbsent;              ///< c² of W_K = c W_Q + √(1 − c²) W′; NaN for τ < 0
};
const base::Description& describe(const SymmetryMeasures*);
SymmetryMeasures symmetry_measures(const FactoredMap& map);

/// Whether a map is nearly symmetric and positive, as that of a head with W_Q = W_K is: f_s ≥ 0.9 and f₊ ≥ 0.95.
bool like_tied(const SymmetryMeasures& symmetry);

/// Of entries with a larger kurtosis N1 is a statement about entries and not about the product.
inline constexpr double kHeavyTails = 4;

/// What the factors say beside the map; this depends on how training wrote the map as a product. Nothing of a map that
/// is known as a whole.
struct FactorMeasures {
  double energy_cosine = kAbsent;  ///< ⟨G_Q, G_K⟩/(‖G_Q‖ ‖G_K‖)
  double norm_ratio = kAbsent;     ///< ‖W_Q‖/‖W_K‖
  double kurtosis = kAbsent;       ///< of the entries, the larger of both factors; 3 for normal ones
};
const base::Description& describe(const FactorMeasures*);
double kurtosis_of(const Eigen::MatrixXd& query, const Eigen::MatrixXd& key);
FactorMeasures factor_measures(const FactoredMap& map, const Eigen::MatrixXd& query, const Eigen::MatrixXd& key);

}  // namespace attnlaw::checkpoint
