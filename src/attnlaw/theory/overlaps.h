#pragma once
/// Order parameters of the state evolution (docs/theory/erm.md, section 2), in the normalisation of
/// docs/conventions.md.

#include <cmath>

namespace attnlaw::theory {

/// q = Tr(S²)/d, m = Tr(S S*)/d and V, the response of the student to its field.
struct Overlaps {
  double q = 0;
  double m = 0;
  double V = 0;
};

/// Conjugate parameters: the student is a spectral function of m̂ S* + √q̂ Z, with V̂ its stiffness.
struct Conjugates {
  double q_hat = 0;
  double m_hat = 0;
  double V_hat = 0;
};

/// Finite, with q̂ > 0 and V̂ > 0: what a spectral law can be made of.
inline bool usable(const Conjugates& conjugates) {
  return conjugates.q_hat > 0 && conjugates.V_hat > 0 && std::isfinite(conjugates.q_hat) &&
         std::isfinite(conjugates.m_hat) && std::isfinite(conjugates.V_hat);
}

/// The figures that a solution predicts (definitions in docs/conventions.md).
struct Errors {
  double train = 0;       ///< loss per training sequence, without penalty
  double test = 0;        ///< noiseless loss per fresh sequence
  double estimation = 0;  ///< ‖S − S*‖²_F/d
  double objective = 0;   ///< α·train + λ Tr S/d
};

}  // namespace attnlaw::theory
