#include "attnlaw/base/matrix.h"

#include <algorithm>
#include <utility>

#include "attnlaw/base/index.h"

namespace attnlaw::base {

std::span<double> entries(Matrix<double>& M) { return {M.data(), size(M.size())}; }

Matrix<double> product(const Matrix<double>& A, const Matrix<double>& B, Transpose transpose_a) {
  use_one_blas_thread();
  Matrix<double> C(transpose_a == Transpose::yes ? A.cols() : A.rows(), B.cols());
  gemm(transpose_a, size(C.rows()), size(C.cols()), size(B.rows()), A.data(), B.data(), 0.0, C.data());
  return C;
}

Eigensystem eigensystem(Matrix<double> M) {
  use_one_blas_thread();
  std::vector<double> values = symmetric_eigensystem(entries(M), size(M.rows()));
  return {std::move(values), std::move(M)};
}

std::vector<double> eigenvalues(Matrix<double> M) {
  use_one_blas_thread();
  return symmetric_eigenvalues(entries(M), size(M.rows()));
}

SingularSystem singular_system(Matrix<double> M) {
  use_one_blas_thread();
  const Eigen::Index rows = M.rows(), columns = M.cols(), count = std::min(rows, columns);
  SingularValueDecomposition found = singular_value_decomposition(entries(M), size(rows), size(columns));
  return {std::move(found.values), Eigen::Map<Matrix<double>>(found.left.data(), rows, count),
          Eigen::Map<Matrix<double>>(found.right.data(), count, columns)};
}

}  // namespace attnlaw::base
