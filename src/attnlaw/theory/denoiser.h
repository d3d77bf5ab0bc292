#pragma once
/// Prior channel of the tied student at full width: the spectral function f(x) = (x − 2λ)₊/V̂ of M = m̂ S* + √q̂ Z
/// (docs/theory/erm.md, section 2).

#include "attnlaw/matrix_laws/law.h"
#include "attnlaw/matrix_laws/spectrum.h"
#include "attnlaw/theory/overlaps.h"

namespace attnlaw::theory {

class Denoiser {
 public:
  explicit Denoiser(double lambda) : threshold_(2 * lambda) {}

  /// Everything the trained student's spectral law gives.
  struct Result {
    Overlaps overlaps;
    double trace = 0;      ///< Tr S/d
    double zero_mass = 0;  ///< P(M ≤ 2λ), the atom of S at 0
    double law_error = 0;  ///< certified error of the law's mass and moments
  };

  /// 2λ: eigenvalues of M below it are trained to zero.
  double threshold() const { return threshold_; }

  /// The law of M. Throws std::invalid_argument unless q̂ > 0.
  static matrix_laws::Law noisy_target(const matrix_laws::Spectrum& target, const Conjugates& conjugates);

  /// q, m, V and the rest from the law of M.
  Result evaluate(const matrix_laws::Law& noisy_target, const matrix_laws::Spectrum& target,
                  const Conjugates& conjugates) const;

  /// ∬ [(f(x)−f(y))/(x−y)]² ρρ, the prior factor of the replicon.
  double squared_response(const matrix_laws::Law& noisy_target, const Conjugates& conjugates) const;

 private:
  double threshold_;
};

}  // namespace attnlaw::theory
