#pragma once
/// What one sequence tells the posterior about its scores (docs/theory/bayes_optimal.md, section 3).

#include "attnlaw/model/problem.h"

namespace attnlaw::theory {

/// Σ_k E g_k² with g = (E[z | y, ω] − ω)/V, z ~ N(ω, V), ω ~ N(0, Q* − V): what labels say about scores that are known
/// up to V > 0. Decreases with V. 0 < V ≤ Q*.
double label_information(const model::Problem& problem, double Q_star, double V);

}  // namespace attnlaw::theory
