#pragma once
/// Defines the dense arrays of all rooms, with the products and eigenproblems of linear_algebra.h on them. Eigen owns
/// their memory: its fixed alignment makes vectorised sums the same on every run.

#include <Eigen/Core>
#include <span>
#include <vector>

#include "attnlaw/base/linear_algebra.h"

namespace attnlaw::base {

/// A row-major matrix; samples, sequences and vectors are its rows.
template <class Real>
using Matrix = Eigen::Matrix<Real, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

/// An array with one column per score or output and one row per sequence, so that pointwise work runs along the
/// sequences.
template <class Real>
using Columns = Eigen::Array<Real, Eigen::Dynamic, Eigen::Dynamic, Eigen::ColMajor>;

/// Returns Σ_ij a_ij b_ij.
inline double inner(const Matrix<double>& a, const Matrix<double>& b) { return (a.array() * b.array()).sum(); }

/// Views all entries, row by row.
std::span<double> entries(Matrix<double>& M);

/// Returns op(A) B.
Matrix<double> product(const Matrix<double>& A, const Matrix<double>& B, Transpose transpose_a = Transpose::no);

/// Eigenvalues, ascending, with their eigenvectors as rows.
struct Eigensystem {
  std::vector<double> values;
  Matrix<double> vectors;
};

/// Computes the eigensystem of a symmetric matrix, of which the lower triangle is read. Throws std::runtime_error for
/// entries that are not finite.
Eigensystem eigensystem(Matrix<double> M);
/// Computes the eigenvalues alone, ascending; reads and throws as eigensystem.
std::vector<double> eigenvalues(Matrix<double> M);

/// M = left · diag(values) · right with min(rows, columns) values, descending.
struct SingularSystem {
  std::vector<double> values;
  Matrix<double> left, right;
};

/// Decomposes any matrix. Throws std::runtime_error for entries that are not finite.
SingularSystem singular_system(Matrix<double> M);

}  // namespace attnlaw::base
