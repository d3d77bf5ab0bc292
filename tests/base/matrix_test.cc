#include "attnlaw/base/matrix.h"

#include <gtest/gtest.h>

#include "attnlaw/base/random.h"

namespace attnlaw::base {
namespace {

Matrix<double> gaussian(Eigen::Index rows, Eigen::Index columns, std::uint64_t stream) {
  Matrix<double> matrix(rows, columns);
  NormalStream(1, stream).fill(0, entries(matrix));
  return matrix;
}

TEST(MatrixProduct, IsThatOfEigen) {
  const auto A = gaussian(7, 5, 1), B = gaussian(5, 3, 2), C = gaussian(7, 3, 3);
  EXPECT_LT((product(A, B) - A * B).norm(), 1e-13);
  EXPECT_LT((product(A, C, Transpose::yes) - A.transpose() * C).norm(), 1e-13);
}

TEST(Eigensystem, ReadsTheLowerTriangleAndHasVectorsInRows) {
  const auto G = gaussian(20, 20, 1);
  const Matrix<double> A = G + G.transpose();
  const auto [values, vectors] = eigensystem(Matrix<double>(A.triangularView<Eigen::Lower>()));
  EXPECT_EQ(eigenvalues(A).size(), 20U);
  for (Eigen::Index k = 0; k < 20; ++k) {
    const Eigen::VectorXd v = vectors.row(k);
    EXPECT_LT((A * v - values[static_cast<std::size_t>(k)] * v).norm(), 1e-12);
    EXPECT_NEAR(eigenvalues(A)[static_cast<std::size_t>(k)], values[static_cast<std::size_t>(k)], 1e-12);
  }
}

}  // namespace
}  // namespace attnlaw::base
