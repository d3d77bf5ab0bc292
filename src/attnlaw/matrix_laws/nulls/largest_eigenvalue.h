#pragma once
/// Compares the largest eigenvalue of a symmetric matrix with a bound, without computing it.

#include <Eigen/Core>

namespace attnlaw::matrix_laws {

/// Whether the largest eigenvalue of a symmetric matrix G reaches the bound: where bound − G is not positive definite,
/// which a Cholesky factor tells at a tenth of the work of eigenvalues. Reads the lower triangle.
bool largest_eigenvalue_reaches(const Eigen::MatrixXd& G, double bound);

}  // namespace attnlaw::matrix_laws
