#pragma once
/// Prior channel of a penalty that is given as a function of eigenvalues (docs/theory/custom.md).

#include <memory>

#include "attnlaw/model/custom_penalty.h"
#include "attnlaw/theory/prior/denoiser.h"

namespace attnlaw::theory {

/// f(x) = argmin_s λ p(s) + (V̂/2c)(s − x/V̂)², c = 2 in self-attention and 1 with cross-attention: over s ≥ 0, or all s
/// for the student direct of self-attention. On singular values f continues as an odd function.
class CustomDenoiser final : public SpectralDenoiser {
 public:
  /// `problem` has a custom penalty.
  CustomDenoiser(const model::Problem& problem, double lambda);

  Result evaluate(const matrix_laws::Spectrum& target, const Conjugates& conjugates, int replicate = kAll,
                  PriorWorkspace* workspace = nullptr) const override;
  SpectralFunction function(const matrix_laws::Law& noisy_target, const Conjugates& conjugates) const override;
  Sectors squared_response(const matrix_laws::Law& noisy_target, const Conjugates& conjugates) const override;

 private:
  class Function;
  /// Where f is 0: from lower to upper, which may be the same.
  matrix_laws::Interval zeros(const Function& f, const matrix_laws::Interval& hull) const;
  /// Where integrands bend or jump.
  std::vector<double> breakpoints(const Function& f, const matrix_laws::Interval& zeros) const;

  std::shared_ptr<const model::CustomPenalty> penalty_;
  double lambda_;
  double symmetry_;  ///< c
  bool general_;     ///< on singular values
  bool negative_;    ///< s may be < 0
};

}  // namespace attnlaw::theory
