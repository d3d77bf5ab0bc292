#pragma once
/// Functions of a symmetric matrix, and of the singular values of any.

#include <span>
#include <vector>

#include "attnlaw/base/linear_algebra.h"
#include "attnlaw/experiment/data/matrix.h"

namespace attnlaw::experiment {

/// Eigenvalues, ascending, with their eigenvectors as rows.
struct Eigensystem {
  std::vector<double> values;
  Matrix<double> vectors;
};

/// The eigensystem of a symmetric matrix. Throws std::runtime_error for not-finite entries.
Eigensystem eigensystem(Matrix<double> M);
/// The same, eigenvalues alone.
std::vector<double> eigenvalues(Matrix<double> M);

/// Σ_k mapped_k v_k v_kᵀ; zeros at either end of `mapped` cost nothing.
Matrix<double> recompose(const Eigensystem& system, std::span<const double> mapped);

/// Singular values, descending, with their vectors: in the columns of `left` and the rows of `right`.
using SingularSystem = base::SingularValueDecomposition;

/// The singular system of a square matrix. Throws std::runtime_error for not-finite entries.
SingularSystem singular_system(Matrix<double> M);
/// The same, singular values alone.
std::vector<double> singular_values(Matrix<double> M);

/// Σ_k mapped_k u_k v_kᵀ; trailing zeros of `mapped` cost nothing.
Matrix<double> recompose(const SingularSystem& system, std::span<const double> mapped);

}  // namespace attnlaw::experiment
