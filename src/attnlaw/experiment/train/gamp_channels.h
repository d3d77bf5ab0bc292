#pragma once
/// Defines the two channels through which GAMP knows a student: its output channel, per sequence, and its prior
/// channel.

#include <memory>

#include "attnlaw/base/matrix.h"
#include "attnlaw/experiment/student/estimate.h"
#include "attnlaw/model/problem.h"

namespace attnlaw::experiment {

/// The messages from all sequences to S.
struct Messages {
  /// Σ_μ Σ_{a≤b} g_ab [(x_a x_bᵀ + x_b x_aᵀ)/2 − δ_ab]/√(d(1+δ_ab)); Σ_μ Σ_ab g_ab x_a y_bᵀ/√d in cross-attention.
  base::Matrix<double> B;
  double response = 0;  ///< −Σ_μ Σ_k ∂g_k/∂ω_k; 0 where the prior channel does not need it
  double squares = 0;   ///< Σ_μ |g|²
};

/// Answers for one kind of student: its output channel to every sequence, and its prior channel to S.
class GampChannels {
 public:
  virtual ~GampChannels() = default;

  /// Returns the estimate that iterations start from.
  virtual MatrixEstimate start(Eigen::Index d) const = 0;
  /// Returns which part of the way to the answer of the channels is safe to take at d ~ 100.
  virtual double largest_step() const = 0;
  /// Computes g of a block of sequences, one per row, at fields ω and estimated scores z; returns −Σ ∂g_k/∂ω_k over the
  /// block. Several threads call it at the same time, each for its block.
  virtual double respond(const base::Columns<double>& labels, const base::Columns<double>& omega, const base::Columns<double>& z,
                         double V, base::Columns<double>& g) const = 0;
  /// Returns the estimate that the prior channel makes of the present one and the messages.
  virtual MatrixEstimate denoise(const MatrixEstimate& estimate, const Messages& messages) const = 0;
};

/// Makes the channels of the tied student at full width: proximal point, and soft threshold of eigenvalues
/// (docs/theory/erm.md, section 8).
std::unique_ptr<GampChannels> make_tied_channels(const model::Problem& problem);

/// Makes the channels of the untied student of cross-attention: proximal point of every row, and soft threshold of
/// singular values (docs/theory/cross_attention.md).
std::unique_ptr<GampChannels> make_untied_channels(const model::Problem& problem);

/// Makes the channels of the student bayes, both posterior means: the label gives the scores up to noise (and, for
/// softmax, up to a common shift), the prior is the spectrum of the target (docs/theory/bayes_optimal.md, section 5).
std::unique_ptr<GampChannels> make_bayes_channels(const model::Problem& problem);

}  // namespace attnlaw::experiment
