#pragma once
/// Order parameters of the state evolution (docs/theory/erm.md, section 2), in the normalisation of
/// docs/conventions.md.

#include <algorithm>
#include <cmath>
#include <limits>

#include "attnlaw/base/describe.h"

namespace attnlaw::theory {

/// q = Tr(S_s²)/d, m = Tr(S S*)/d and V, the response of the student to its field, of the symmetric part S_s; q_a =
/// ‖S_a‖²_F/d and V_a of the antisymmetric part, which general students of self-attention have (0 for all others). With
/// cross-attention q = ‖S‖²_F/d whole.
struct Overlaps {
  double q = 0;
  double m = 0;
  double V = 0;
  double q_a = 0;
  double V_a = 0;
  /// ‖S_s − S*‖²_F/d where it is known better than as Q* − 2m + q, which cancels close to S*; else NaN.
  double deviation = std::numeric_limits<double>::quiet_NaN();

  /// Variance of the field of a label given ω: D/q with D = v q − m², v = Q* + Δ the variance of the field itself.
  double unexplained(double label_variance) const {
    constexpr double kRoundoff = 1e-300;
    return std::max(label_variance - m * m / q, kRoundoff);
  }

  /// ‖S − S*‖²_F/d.
  double estimation(double Q_star) const { return (std::isnan(deviation) ? Q_star - 2 * m + q : deviation) + q_a; }
};

/// Overlaps of which none differs by more than a share of itself.
inline bool close(const Overlaps& a, const Overlaps& b, double share) {
  const auto near = [share](double x, double y) { return x == y || std::abs(x - y) <= share * std::abs(y); };
  return near(a.q, b.q) && near(a.m, b.m) && near(a.V, b.V) && near(a.q_a, b.q_a) && near(a.V_a, b.V_a);
}

/// How the fields t of labels and ω of students are made of standard normal τ and ρ: t = σ τ and ω = along τ + across
/// ρ, with σ² = v = Q* + Δ. A label is then the same whatever the overlaps are. across² = q − m²/v is D + Δ − (v −
/// m)²/v, which does not cancel close to S*, where D = ‖S_s − S*‖²_F/d is known.
struct Mixture {
  Mixture(const Overlaps& overlaps, double Q_star, double noise)
      : sigma(std::sqrt(Q_star + noise)), along(overlaps.m / sigma) {
    constexpr double kRoundoff = 1e-300;
    const double missing = sigma - along, square = std::isnan(overlaps.deviation)
                                                       ? overlaps.q - along * along
                                                       : overlaps.deviation + noise - missing * missing;
    across = overlaps.q > 0 ? std::sqrt(std::max(square, kRoundoff)) : 0;
  }

  double sigma, along, across = 0;
};

/// Conjugate parameters: the student is a spectral function of m̂ S* + √q̂ Z, with V̂ its stiffness. The antisymmetric
/// part of a general student is √q̂_a times an antisymmetric Gaussian matrix over a stiffness V̂_a + 4λ
/// with a Frobenius penalty; with a nuclear norm see numerical_prior.h.
struct Conjugates {
  double q_hat = 0;
  double m_hat = 0;
  double V_hat = 0;
  double q_hat_a = 0;
  double V_hat_a = 0;
};

/// Finite, with q̂ > 0 and V̂ > 0: what a spectral law can be made of.
inline bool usable(const Conjugates& conjugates) {
  return conjugates.q_hat > 0 && conjugates.V_hat > 0 && std::isfinite(conjugates.q_hat) &&
         std::isfinite(conjugates.m_hat) && std::isfinite(conjugates.V_hat);
}

/// Finite, with q > 0 and V > 0: what coordinates can be made of.
inline bool usable(const Overlaps& overlaps) {
  return overlaps.q > 0 && overlaps.V > 0 && std::isfinite(overlaps.q) && std::isfinite(overlaps.m) &&
         std::isfinite(overlaps.V);
}

/// The figures that a solution predicts (definitions in docs/conventions.md).
struct Errors {
  double train = 0;       ///< loss per training sequence, without penalty
  double test = 0;        ///< noiseless loss per fresh sequence
  double estimation = 0;  ///< ‖S − S*‖²_F/d
  double objective = 0;   ///< α·train + λ·penalty/d, penalty = Tr S (tied), ‖S‖_* (untied) or ‖S‖²_F
  double test_noisy = 0;  ///< loss per fresh sequence against labels of noise Δ, like those trained on
};

/// Figures of a loss beside Errors (docs/theory/losses.md), those of whole rows per sequence; NaN where a loss or a
/// label has none.
struct LossFigures {
  static constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
  double excess_train = kNone;   ///< cross-entropy above the entropy of the labels, on training data (soft labels only)
  double excess_test = kNone;    ///< on fresh sequences, noiseless
  double squared_train = kNone;  ///< ‖y − σ_β(h)‖²_F of a student of the cross-entropy (soft labels only)
  double squared_test = kNone;
  double sign_error = kNone;  ///< probability of a wrong sign on noiseless fresh sequences: arccos(m/√(q Q*))/π
};

const base::Description& describe(const Errors*);
const base::Description& describe(const LossFigures*);

/// A number for each sector of a student: symmetric and antisymmetric part.
struct Sectors {
  double symmetric = 0;
  double antisymmetric = 0;
};

/// How fields of one sector (second index) move forces of another (first index).
struct SectorMatrix {
  Sectors symmetric;      ///< {ss, sa}
  Sectors antisymmetric;  ///< {as, aa}
};

/// The replicon R: largest eigenvalue of the product of both channels' squared responses. Infinite if that of the prior
/// is, in a sector to which the output responds.
inline double replicon(const SectorMatrix& output, const Sectors& prior) {
  // No response stays none, whatever it is multiplied with.
  const auto product = [](double first, double second) { return first == 0 || second == 0 ? 0 : first * second; };
  const double ss = product(output.symmetric.symmetric, prior.symmetric);
  const double sa = product(output.symmetric.antisymmetric, prior.antisymmetric);
  const double as = product(output.antisymmetric.symmetric, prior.symmetric);
  const double aa = product(output.antisymmetric.antisymmetric, prior.antisymmetric);
  return 0.5 * (ss + aa + std::sqrt((ss - aa) * (ss - aa) + 4 * sa * as));
}

}  // namespace attnlaw::theory
