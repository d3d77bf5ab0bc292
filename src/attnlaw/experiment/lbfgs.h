#pragma once
/// Limited-memory BFGS on the parameters of a student.

#include "attnlaw/experiment/trainer.h"

namespace attnlaw::experiment {

/// Minimises the objective in its Parameters by L-BFGS (Nocedal & Wright, Numerical Optimization, algorithm 7.5;
/// two-loop recursion of LBFGSpp), with the approximate Wolfe conditions of Hager & Zhang (2005, eqs 4.1–4.2): close to
/// the minimum the decrease of the objective drowns in rounding, and slopes decide instead. That is what lets float32
/// data reach small residuals.
template <class Real>
Trained train_lbfgs(Objective<Real>& objective, const TrainingOptions& options);

}  // namespace attnlaw::experiment
