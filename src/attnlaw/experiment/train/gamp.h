#pragma once
/// Trains by generalised approximate message passing.

#include "attnlaw/experiment/train/trainer.h"

namespace attnlaw::experiment {

/// Runs the iteration of docs/theory/erm.md section 8 (tied student at full width), of docs/theory/cross_attention.md
/// (untied student of cross-attention), or of docs/theory/bayes_optimal.md section 5 (student bayes, heads softmax and
/// linear):
///
///     ω = z(X; S) − V g,   g ← output channel at ω,   B = Σ_μ Σ_{a≤b} g_ab A_ab,   (S, V) ← prior channel at S and B
///
/// Every iteration moves (g, S, V) a part of the way to what the channels answer. That part starts at 0.7 (tied,
/// untied) or 0.5 (bayes: undamped iterations diverge at d ~ 100), shrinks by a factor 0.7 when the residual ‖S_new −
/// S‖_F/‖S‖_F has doubled since its lowest (iterations that leave S = 0 do not count), but not below 0.02, and recovers
/// by 1 % per iteration.
///
/// Fixed points of the tied and the untied student are stationary points of the objective; kkt is the residual of its
/// penalty. For bayes nothing is minimised; kkt is the residual of the iteration. It ends at the tolerance, at
/// max_iterations, or when the residual has had no new low for long (StallDetector).
template <class Real>
Trained train_gamp(Objective<Real>& objective, const TrainingOptions& options);

/// Returns the bytes of state beyond that of a DataPass, as a double, which cannot overflow.
double gamp_bytes(const model::Problem& problem, int d);

}  // namespace attnlaw::experiment
