#pragma once
/// Trains by accelerated proximal gradient steps on S.

#include "attnlaw/experiment/train/trainer.h"

namespace attnlaw::experiment {

/// Minimises the objective, from S = 0 or the start in the options, by FISTA (Beck & Teboulle 2009) with backtracking
/// and the gradient restart of O'Donoghue & Candès (2015): over S ⪰ 0 for the tied student at full width (a rank cannot
/// be kept), over all S for the untied and direct ones. The penalty enters by Penalty::proximal.
template <class Real>
Trained train_fista(Objective<Real>& objective, const TrainingOptions& options);

}  // namespace attnlaw::experiment
