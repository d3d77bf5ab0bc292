#pragma once
/// The same filter on attention: what raw labels lose (docs/theory/lofi.md, section 5). The estimate itself, its noise
/// and its overlaps, is model/spectral_start.h.

namespace attnlaw::laws {

/// η of the raw labels w = (y + yᵀ)/2 − 1/T of noiseless softmax attention: c₁²/(τ K_eff Q*), for
/// T = 2. To five digits up to beta √Q* = 5. Throws std::invalid_argument unless both are > 0.
double raw_label_efficiency(double beta, double Q_star);

}  // namespace attnlaw::laws
