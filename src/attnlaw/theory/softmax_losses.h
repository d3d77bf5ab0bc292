#pragma once
/// ℓ(y, h) = ‖y − σ_β(h)‖²_F of self-attention.

#include "attnlaw/theory/logistic_features.h"
#include "attnlaw/theory/softmax_rows.h"

namespace attnlaw::theory {

/// T = 2, to be made with kPairMetric.
using SoftmaxPair = LogisticFeatures<2, SquareLoss>;

}  // namespace attnlaw::theory
