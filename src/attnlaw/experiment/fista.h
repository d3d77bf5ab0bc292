#pragma once
/// Accelerated proximal gradient on S ⪰ 0.

#include "attnlaw/experiment/trainer.h"

namespace attnlaw::experiment {

/// Minimises the objective over S ⪰ 0 from S = 0 by FISTA (Beck & Teboulle 2009) with backtracking and the gradient
/// restart of O'Donoghue & Candès (2015). The proximal operator of λ Tr S on S ⪰ 0 is (ν − step·λ)₊ on the eigenvalues.
template <class Real>
Trained train_fista(Objective<Real>& objective, const TrainingOptions& options);

}  // namespace attnlaw::experiment
