#pragma once
/// Eigenvalues of symmetric tridiagonal matrices.

#include <span>
#include <vector>

namespace attnlaw::base {

/// Returns all eigenvalues, ascending, of a symmetric tridiagonal matrix with this diagonal and the off-diagonal that
/// is one entry shorter (LAPACK dsterf). Throws std::invalid_argument for other lengths, std::runtime_error if LAPACK
/// does not converge.
std::vector<double> tridiagonal_eigenvalues(std::span<const double> diagonal, std::span<const double> off);

}  // namespace attnlaw::base
