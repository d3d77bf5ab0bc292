#pragma once
/// What the theory of a problem rests on (docs/accuracy.md).

#include "attnlaw/base/evidence.h"
#include "attnlaw/model/problem.h"

namespace attnlaw::theory {

/// A theorem for the linear head with one token, squared loss and the students tied (arXiv:2505.17958) and bayes;
/// derived for other convex losses, with convex penalties that have a name (--penalty) or the student's own; else
/// heuristic.
base::Evidence evidence(const model::Problem& problem);

}  // namespace attnlaw::theory
