#pragma once
/// Eigenvalues of matrices of the size of a head: what is asked of them in less time than that of a decomposition of
/// any size.

#include <Eigen/Core>
#include <vector>

namespace attnlaw::matrix_laws {

/// Whether the largest eigenvalue of a symmetric matrix G reaches the bound: where bound − G is not positive definite,
/// which a Cholesky factor tells at a tenth of the work of eigenvalues. Reads the lower triangle.
bool largest_eigenvalue_reaches(const Eigen::MatrixXd& G, double bound);

/// Returns the eigenvalues of a symmetric matrix, ascending; reads the lower triangle. Throws std::runtime_error for
/// entries that are not finite.
std::vector<double> eigenvalues_of_symmetric(const Eigen::MatrixXd& G);

/// Returns the largest |λ| over the eigenvalues of a square matrix, to about ten digits, by squaring the matrix until
/// its power has the rank of its leading eigenvalues: a fifth of the time of all eigenvalues.
double spectral_radius(const Eigen::MatrixXd& C);

}  // namespace attnlaw::matrix_laws
