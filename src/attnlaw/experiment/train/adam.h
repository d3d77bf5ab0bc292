#pragma once
/// Trains by full-batch Adam on the parameters of a student.

#include "attnlaw/experiment/train/trainer.h"

namespace attnlaw::experiment {

/// Minimises the objective in its Parameters by Adam (Kingma & Ba 2015) on the whole training set. At a constant rate
/// Adam ends in a cycle whose size is the rate; here the rate is halved whenever the objective has stopped falling, so
/// that it converges. With options.stop_change the rate stays, and the end is where a step changes the objective by
/// less.
template <class Real>
Trained train_adam(Objective<Real>& objective, const TrainingOptions& options);

}  // namespace attnlaw::experiment
