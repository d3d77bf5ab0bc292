#pragma once
/// Estimates S by a function of the eigenvalues of a noisy view of it.

#include <vector>

#include "attnlaw/base/matrix.h"
#include "attnlaw/experiment/student/spectral.h"
#include "attnlaw/model/problem.h"

namespace attnlaw::experiment {

/// An estimate of S and the variance V of normalised scores that it leaves.
struct MatrixEstimate {
  base::Matrix<double> S;
  double V = 0;
};

/// Returns S = f(M), given f and its slope at the eigenvalues of M in their order, and V = (1/d²) [Σ_{i≠j} (f_i −
/// f_j)/(x_i − x_j) + 2 Σ_i f'_i], the response of S to M.
MatrixEstimate function_of(const base::Eigensystem& M, const std::vector<double>& values, const std::vector<double>& slopes);

/// Returns function_of M with f(x) = max(0, x − threshold)/stiffness.
MatrixEstimate soft_threshold(const base::Matrix<double>& M, double threshold, double stiffness);

/// Returns the posterior mean of S* given R = S* + √variance Z and the spectrum of a problem's target, and its error as
/// V. Variance and V are kept above 1e-3 Q*.
MatrixEstimate posterior_mean(const model::Problem& problem, const base::Matrix<double>& R, double variance);

/// Returns V, or 1e-3 Q* if V is smaller.
double floored(const model::Problem& problem, double V);

}  // namespace attnlaw::experiment
