#pragma once
/// Figures that describe one map without any null law (docs/theory/query_key_nulls.md, section 6).

#include <span>

#include "attnlaw/base/describe.h"
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
  double symmetry = 0;         ///< τ = Tr S²/‖S‖²
  double symmetric_share = 0;  ///< ‖(S + Sᵀ)/2‖²/‖S‖² = (1 + τ)/2
  double positive_share = 0;   ///< Σ e₊²/Σ e² over the eigenvalues e of (S + Sᵀ)/2
  double trace = 0;            ///< Tr S √d/‖S‖
  double spectral_radius = 0;  ///< max |λ| over its null σ_Q σ_K √(m d)
  double tie = 0;              ///< c² of W_K = c W_Q + √(1 − c²) W′; NaN for τ < 0
};
const base::Description& describe(const SymmetryMeasures*);
SymmetryMeasures symmetry_measures(const FactoredMap& map);

/// What the factors say beside the map; this depends on how training wrote the map as a product.
struct FactorMeasures {
  double energy_cosine = 0;  ///< ⟨G_Q, G_K⟩/(‖G_Q‖ ‖G_K‖)
  double norm_ratio = 0;     ///< ‖W_Q‖/‖W_K‖
  double kurtosis = 0;       ///< of the entries, the larger of both factors; 3 for normal ones
};
const base::Description& describe(const FactorMeasures*);
FactorMeasures factor_measures(const FactoredMap& map, const Eigen::MatrixXd& query, const Eigen::MatrixXd& key);

}  // namespace attnlaw::checkpoint
