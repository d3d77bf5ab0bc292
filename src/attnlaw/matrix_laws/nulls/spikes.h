#pragma once
/// Where a planted direction shows in the singular values of a null query-key map, and how strong a seen one is
/// (docs/theory/query_key_nulls.md, section 3). Positions are z = s/(σ_Q σ_K d).

#include <vector>

namespace attnlaw::matrix_laws {

/// An additive spike S = S₀ + θ σ_Q σ_K d a bᵀ with unit a, b (Benaych-Georges and Nadakuditi, J. Multivariate Anal.
/// 111 (2012) 120). β = m/d. Returns the least θ that shows, θ_c.
double spike_threshold(double beta);
/// Returns the singular value of a spike; NaN for θ ≤ θ_c.
double spike_position(double beta, double theta);
/// Returns the squared overlap of the singular vector with a, the same as of the other one with b; 0 for θ ≤ θ_c.
double spike_overlap(double beta, double theta);
/// Returns the θ whose singular value is z; NaN for z inside the bulk.
double spike_strength(double beta, double z);

/// A spike inside the factors: W_Q += σ_Q √(a_Q d) e_Q aᵀ and W_K += σ_K √(a_K d) e_K bᵀ, with ρ = ⟨e_Q, e_K⟩.
struct FactorSpike {
  double query = 0;      ///< a_Q
  double key = 0;        ///< a_K
  double alignment = 0;  ///< ρ
};
/// A singular value that the spike makes, and the squared overlaps of its vectors with a and with b.
struct SpikeOutlier {
  double position = 0;
  double query_overlap = 0;
  double key_overlap = 0;
};
/// Returns none, one or two, the largest first. For ρ = 1 the position is that of θ² = (1 + a_Q)(1 + a_K); for ρ = 0
/// each factor makes an outlier of its own, although queries and keys are unrelated.
std::vector<SpikeOutlier> spike_outliers(double beta, const FactorSpike& spike);

/// Returns a of the spike that gives W Wᵀ/(σ² d) its largest eigenvalue; NaN inside the bulk.
double factor_spike_strength(double beta, double eigenvalue);
/// Returns ρ² from both strengths and the largest singular value; NaN if z lies inside the bulk. Noise may push it out
/// of [0, 1].
double spike_alignment(double beta, double query, double key, double z);

}  // namespace attnlaw::matrix_laws
