#pragma once
/// Dense decompositions by Eigen, another library than the LAPACK of what is tested. They stand in one file, because
/// each of them takes a compiler up to a minute.

#include <Eigen/Core>

namespace attnlaw::test {

struct Eigensystem {
  Eigen::VectorXd values;   ///< ascending
  Eigen::MatrixXd vectors;  ///< in columns
};

/// Decomposes a symmetric matrix, of which the lower triangle is read.
Eigensystem eigensystem(const Eigen::MatrixXd& symmetric);
/// Returns the eigenvalues alone, ascending.
Eigen::VectorXd eigenvalues(const Eigen::MatrixXd& symmetric);

/// M = left · diag(values) · rightᵀ with square `left` and `right`.
struct SingularSystem {
  Eigen::VectorXd values;  ///< descending
  Eigen::MatrixXd left, right;
};

SingularSystem singular_system(const Eigen::MatrixXd& M);
/// Returns the singular values alone, descending.
Eigen::VectorXd singular_values(const Eigen::MatrixXd& M);

}  // namespace attnlaw::test
