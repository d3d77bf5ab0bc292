#pragma once
/// How far a squared logistic loss can bend downwards.

namespace attnlaw::theory {

/// A lower bound of p² + (s − y) p (1 − 2s), p = s(1 − s), over all s ∈ [0, 1] with |s − y| ≤ residual, for labels y
/// and residuals in [0, 1]: half of the curvature of (y − s(x))² in x where it misses the label by no more. Rigorous,
/// and at most 0.03 below the minimum itself (tests/theory/proximal_test.cc).
double least_logistic_curvature(double label, double residual);

}  // namespace attnlaw::theory
