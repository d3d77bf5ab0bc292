#pragma once
/// Functions of a symmetric matrix.

#include <span>
#include <vector>

#include "attnlaw/experiment/matrix.h"

namespace attnlaw::experiment {

/// Eigenvalues, ascending, with their eigenvectors as rows.
struct Eigensystem {
  std::vector<double> values;
  Matrix<double> vectors;
};

/// Of a symmetric matrix. Throws std::runtime_error for not-finite entries.
Eigensystem eigensystem(Matrix<double> M);
/// The same, eigenvalues alone.
std::vector<double> eigenvalues(Matrix<double> M);

/// Σ_k mapped_k v_k v_kᵀ; zeros at either end of `mapped` cost nothing.
Matrix<double> recompose(const Eigensystem& system, std::span<const double> mapped);

}  // namespace attnlaw::experiment
