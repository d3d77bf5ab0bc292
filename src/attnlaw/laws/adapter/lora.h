#pragma once
/// Predicts how well a pre-trained attention head is fine-tuned by an adapter of rank one (docs/theory/lora.md).
///
/// A frozen student S_pre has learned S*. The task to fine-tune on has S* + √d ω u uᵀ; the student S_pre + √d w wᵀ
/// learns w from n = α d fresh sequences by min_w (1/d) Σ ½‖Y − f(h)‖²_F + (λ/2)|w|², f = identity or row-wise softmax.
///
/// ```cpp
/// #include <cstdio>
///
/// #include "attnlaw/laws/adapter/lora.h"
///
/// attnlaw::laws::LoraTask task;
/// task.head = attnlaw::model::Head::linear;
/// task.alpha = 4;
/// const auto pretrained = attnlaw::laws::PretrainedOverlaps::calibrated(2, 0.1);  // Q* and E_pre
/// const attnlaw::laws::LoraPrediction prediction = attnlaw::laws::predict_lora(task, pretrained);
/// std::printf("cos² %.4f, test error %.4f\n", prediction.alignment, prediction.test);
/// for (const std::string& doubt : prediction.doubts()) std::puts(doubt.c_str());
/// ```

#include <limits>
#include <optional>
#include <span>
#include <vector>

#include "attnlaw/base/describe.h"
#include "attnlaw/base/estimate.h"
#include "attnlaw/base/names.h"
#include "attnlaw/model/problem.h"

namespace attnlaw::theory {
struct Solution;
}

namespace attnlaw::laws {

/// Which sequences an adapter is trained on.
enum class LoraSequences {
  fresh,    ///< new ones
  reused,   ///< those of pre-training, whose residuals the frozen student has made small; linear scores
  selected  ///< those new ones whose frozen scores ‖h(S_pre)‖ are least; linear scores, heuristic
};
std::span<const base::Named<LoraSequences>> names_table(LoraSequences);
using base::name;

struct LoraTask {
  int tokens = 2;                           ///< T; softmax for T = 2 and 3
  model::Head head = model::Head::softmax;  ///< softmax or linear
  double alpha = 1;                         ///< n/d of fine-tuning, > 0
  double omega = 1;                         ///< strength of the rank-one term, > 0
  double lambda = 0.1;                      ///< penalty (λ/2)|w|², > 0
  double noise = 0;                         ///< Δ ≥ 0: labels use h + √Δ Ξ, Var Ξ_ab = 1 + δ_ab
  double beta = 1;                          ///< inverse temperature of student and labels, > 0 (softmax only)
  LoraSequences sequences = LoraSequences::fresh;
  double share = 0.1;  ///< selected: of the sequences seen, those kept; 0 < share ≤ 1

  /// Throws std::invalid_argument that names the first value out of range.
  void validate() const;
  /// Returns T(T+1), which is E‖h(S)‖²_F of a matrix with Tr S²/d = 1.
  double score_square() const { return static_cast<double>(tokens) * (tokens + 1); }
  /// Returns what noise adds to the error of linear scores against labels: Σ_ab (1 + δ_ab) Δ = T(T+1) Δ.
  double label_scatter() const { return score_square() * noise; }
};
const base::Description& describe(const LoraTask*);

/// What fine-tuning needs to know of pre-training.
struct PretrainedOverlaps {
  double Q_star = 0;  ///< Tr S*²/d
  double Q_pre = 0;   ///< Tr S_pre²/d
  double m_pre = 0;   ///< Tr S_pre S*/d
  /// Loss per training sequence of pre-training, which its sequences need where they are reused; NaN: not known, or not
  /// that of squared residuals of linear scores.
  double train = std::numeric_limits<double>::quiet_NaN();

  /// Returns the overlaps of an S_pre that is as good as a posterior mean: m_pre = Q_pre = Q* − E_pre.
  static PretrainedOverlaps calibrated(double Q_star, double E_pre) { return {Q_star, Q_star - E_pre, Q_star - E_pre}; }
  /// Returns the overlaps of a solved pre-training problem. Throws as require_symmetric_student.
  static PretrainedOverlaps of(const theory::Solution& solution);
  /// Returns the overlaps of β S_pre at the β = m_pre/Q_pre of least E_pre, which is then Q* − m_pre²/Q_pre: a gain
  /// unless m_pre = Q_pre.
  PretrainedOverlaps recalibrated() const;
  /// Returns that β; 1 for S_pre = 0.
  double calibration() const { return Q_pre > 0 ? m_pre / Q_pre : 1; }
  /// Returns ‖S_pre − S*‖²_F/d.
  double E_pre() const { return Q_star + Q_pre - 2 * m_pre; }
  /// Throws std::invalid_argument unless Q*, Q_pre ≥ 0 are finite and m_pre² ≤ Q* Q_pre.
  void validate() const;
};
const base::Description& describe(const PretrainedOverlaps*);

/// The variance that linear scores of the sequences of a task have, beside the adapter, around those of the frozen
/// student: E_pre + Δ of fresh ones; train/(T(T+1)) of those of pre-training; of selected ones Δ + Q* − m_pre²/Q_pre +
/// (1 − m_pre/Q_pre)² Q_pre r, where r is the part of its mean that ‖h(S_pre)‖² has on them. Throws
/// std::invalid_argument for reused sequences of a pre-training whose training loss is not known.
double residual_variance(const LoraTask& task, const PretrainedOverlaps& pretrained);

/// Throws std::invalid_argument for students whose S is not symmetric (cross-attention, direct-general, untied): the
/// adapter of this theory is.
void require_symmetric_student(const model::Problem& problem);

/// Throws std::invalid_argument unless the sequences of pre-training can be those of the task: tokens, head and noise
/// of both are the same, and the student was trained on all scores by the squared loss, whose residuals are then known.
/// At a given d they must be enough; 0 leaves that open.
void require_reusable(const LoraTask& task, const model::Problem& pretraining, int d = 0);

struct LoraOverlaps {
  double m = 0;  ///< w·u, ≥ 0
  double q = 0;  ///< |w|²
  double V = 0;  ///< response of w to its field

  /// Returns cos² of the angle between w and u.
  double alignment() const { return q == 0 ? 0 : m * m / q; }
  /// Returns ‖ω u uᵀ − w wᵀ‖²_F.
  double adapter_error(double omega) const { return omega * omega - 2 * omega * m * m + q * q; }
};
const base::Description& describe(const LoraOverlaps*);

struct LoraOptions {
  /// The largest relative sampling error of q, m, V and the errors, at two standard errors; 1e-6 to 0.1. The number of
  /// points grows until it is met. Linear scores of one token are integrated by a product rule without such an error.
  double accuracy = 1e-3;
  int threads = 1;  ///< 0 means all available; results have the same bits for any number

  void validate() const;
};
const base::Description& describe(const LoraOptions*);

/// Sampling errors of the theory are standard errors over independent scrambles of the points (0 for the product rule).
using base::Estimate;

struct LoraPrediction {
  LoraTask task;
  PretrainedOverlaps pretrained;
  LoraOverlaps overlaps;
  double lambda_effective = 0;  ///< λ plus what the centring −δ_ab |w|² of the index adds
  double effective_noise = 0;   ///< residual_variance: linear scores depend on pre-training by this alone

  double alignment = 0;      ///< cos²
  double adapter_error = 0;  ///< a = ‖ω u uᵀ − w wᵀ‖²_F
  double index_error = 0;    ///< T(T+1)(E_pre + a): noiseless error of the scores of a fresh sequence
  double train = 0;          ///< E ½‖Y − f(h)‖² of a training sequence
  double test = 0;           ///< E‖f(h of the task) − f(h of the student)‖²_F of a fresh sequence, noiseless
  double test_noisy = 0;     ///< the same against the label of the sequence, which has the noise Δ
  double objective = 0;      ///< α·train + λq/2
  LoraOverlaps sampling_error;
  double alignment_error = 0, train_error = 0, test_error = 0, test_noisy_error = 0;  ///< sampling errors

  /// Replica symmetry is stable where it is < 1.
  double stability = 0;
  /// The relative violation of Stein's identity, which is the weight of jumps of the proximal point.
  double stein = 0;

  /// The largest |F(x) − x| at the returned point, x = (m/√ω, log((q − m²)/ω), log V). The second counts less where
  /// rounding leaves few digits of q − m², below 1e-9 m².
  double residual = 0;
  /// True if Newton's step from the returned point is at most accuracy/20 in each coordinate of x.
  bool converged = false;
  bool sampling_ok = false;  ///< the sampling error is within the accuracy asked for
  int iterations = 0;        ///< evaluations of the map
  std::size_t points = 0;    ///< number of points in all
  double seconds = 0;

  /// Returns what casts doubt on these numbers, one sentence each.
  std::vector<std::string> doubts() const;
};
const base::Description& describe(const LoraPrediction*);

/// Where |stein| is larger, replica symmetry is not to be trusted.
inline constexpr double kSteinLimit = 1e-2;

/// Solves the state evolution from the informed start. Throws std::invalid_argument for a task, overlaps or options out
/// of range. Lack of convergence is told by `converged`; where no solution with an adapter is in sight the figures are
/// NaN.
LoraPrediction predict_lora(const LoraTask& task, const PretrainedOverlaps& pretrained,
                            const LoraOptions& options = {});

/// What the errors of linear scores tend to as α → ∞ at fixed λ, up to a factor 1 + O(1/α).
struct LoraLargeAlpha {
  double misalignment = 0;   ///< 1 − cos² = E/(ω² T(T+1) α), E = E_pre + Δ
  double adapter_error = 0;  ///< a = 2E/(T(T+1) α)
  double index_error = 0;    ///< T(T+1) E_pre + 2E/α
};
const base::Description& describe(const LoraLargeAlpha*);
LoraLargeAlpha large_alpha_law(const LoraTask& task, const PretrainedOverlaps& pretrained);

/// The α_c above which the posterior of u knows a direction, for linear scores: 1/α_c = E_Y‖E[v vᵀ − 1 | Y]‖²_F.
struct WeakRecovery {
  double upper_bound = 0;       ///< (1 + E/ω²)/(T(T+1)) ≥ α_c, E = E_pre + Δ
  std::optional<double> alpha;  ///< α_c, for one token only
};
const base::Description& describe(const WeakRecovery*);
WeakRecovery weak_recovery(const LoraTask& task, const PretrainedOverlaps& pretrained);

}  // namespace attnlaw::laws
