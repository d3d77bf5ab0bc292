#pragma once
/// Dense arrays of all rooms, with the products and eigenproblems of linear_algebra.h on them. Eigen owns their memory:
/// its fixed alignment makes vectorised sums the same on every run.

#include <Eigen/Core>
#include <span>
#include <vector>

#include "attnlaw/base/linear_algebra.h"

namespace attnlaw::base {

/// Row-major matrix: samples, sequences or vectors by rows, and square maps.
template <class Real>
using Matrix = Eigen::Matrix<Real, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

/// One column per score or output, one row per sequence: pointwise work runs along the sequences.
template <class Real>
using Columns = Eigen::Array<Real, Eigen::Dynamic, Eigen::Dynamic, Eigen::ColMajor>;

/// Σ_ij a_ij b_ij.
inline double inner(const Matrix<double>& a, const Matrix<double>& b) { return (a.array() * b.array()).sum(); }

/// All entries, row by row.
std::span<double> entries(Matrix<double>& M);

/// op(A) B.
Matrix<double> product(const Matrix<double>& A, const Matrix<double>& B, Transpose transpose_a = Transpose::no);

/// Eigenvalues, ascending, with their eigenvectors as rows.
struct Eigensystem {
  std::vector<double> values;
  Matrix<double> vectors;
};

/// Of a symmetric matrix, of which the lower triangle is read. Throws std::runtime_error for not-finite entries.
Eigensystem eigensystem(Matrix<double> M);
/// The same, eigenvalues alone.
std::vector<double> eigenvalues(Matrix<double> M);

}  // namespace attnlaw::base
