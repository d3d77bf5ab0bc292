#include "attnlaw/base/linear_algebra.h"

#include <gtest/gtest.h>

#include <Eigen/Core>
#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>

#include "attnlaw/base/matrix.h"
#include "attnlaw/base/random.h"

namespace attnlaw::base {
namespace {

template <class Real>
Matrix<Real> gaussian(Eigen::Index rows, Eigen::Index columns, std::uint64_t stream) {
  Matrix<Real> matrix(rows, columns);
  NormalStream(1, stream).fill(0, std::span<Real>(matrix.data(), static_cast<std::size_t>(matrix.size())));
  return matrix;
}

TEST(Gemm, IsTheMatrixProduct) {
  const auto A = gaussian<double>(7, 5, 1), B = gaussian<double>(5, 3, 2), C = gaussian<double>(7, 3, 3);
  Matrix<double> result = C;
  gemm(Transpose::no, 7, 3, 5, A.data(), B.data(), 2.0, result.data());
  EXPECT_LT((result - (A * B + 2 * C)).norm(), 1e-13);
}

TEST(Gemm, IsTheProductWithATranspose) {
  const auto A = gaussian<float>(5, 7, 1), B = gaussian<float>(5, 3, 2);
  Matrix<float> result(7, 3);
  gemm(Transpose::yes, 7, 3, 5, A.data(), B.data(), 0.0F, result.data());
  EXPECT_LT((result - A.transpose() * B).norm(), 1e-5F);
}

template <class Real>
void expect_triangular_products(Eigen::Index d, double tolerance) {
  const Eigen::Index rows = 17;
  const auto A = gaussian<Real>(rows, d, 1), B = gaussian<Real>(rows, d, 2), C = gaussian<Real>(d, d, 3);
  const auto n = static_cast<std::size_t>(d);
  const Matrix<Real> L = C.template triangularView<Eigen::Lower>(), expected = A * L;
  Matrix<Real> product(rows, d), sum = C;
  lower_gemm(rows, n, A.data(), L.data(), product.data());
  EXPECT_LT((product - expected).norm(), tolerance * expected.norm());
  add_lower_product(rows, n, A.data(), B.data(), sum.data());
  const Matrix<Real> difference = (sum - C - A.transpose() * B).template triangularView<Eigen::Lower>();
  EXPECT_LT(difference.norm(), tolerance * sum.norm());
}

TEST(LowerGemm, IsGemmOfATriangle) {
  for (const Eigen::Index d : {1, 7, 31, 40, 60, 100, 131}) {
    SCOPED_TRACE(d);
    expect_triangular_products<float>(d, 1e-5);
    expect_triangular_products<double>(d, 1e-14);
  }
}

/// A rotation by 0.3 times 2 has the eigenvalues 2 e^{±0.3i}, and a triangular block does not change them.
TEST(LargestRealPart, IsThatOfComplexPairsToo) {
  const double c = 2 * std::cos(0.3), s = 2 * std::sin(0.3);
  std::vector<double> matrix{c, -s, 5, s, c, -7, 0, 0, -1};
  EXPECT_NEAR(largest_real_part(matrix, 3), c, 1e-14);
  matrix = {-c, s, 5, -s, -c, -7, 0, 0, -1};
  EXPECT_NEAR(largest_real_part(matrix, 3), -1, 1e-14);
  matrix = {0, 1, 1, std::numeric_limits<double>::quiet_NaN()};
  EXPECT_THROW(largest_real_part(matrix, 2), std::runtime_error);
  EXPECT_THROW(largest_real_part(matrix, 3), std::invalid_argument);
}

TEST(SymmetricEigensystem, SatisfiesItsEquation) {
  const auto G = gaussian<double>(20, 20, 4);
  const Matrix<double> A = G + G.transpose();
  Matrix<double> vectors = A, copy = A;
  const std::vector<double> values = symmetric_eigensystem(std::span(vectors.data(), 400), 20);
  EXPECT_TRUE(std::is_sorted(values.begin(), values.end()));
  const std::vector<double> values_alone = symmetric_eigenvalues(std::span(copy.data(), 400), 20);
  EXPECT_LT((vectors * vectors.transpose() - Matrix<double>::Identity(20, 20)).norm(), 1e-12);
  for (Eigen::Index k = 0; k < 20; ++k) {
    const Eigen::VectorXd v = vectors.row(k);
    EXPECT_LT((A * v - values[static_cast<std::size_t>(k)] * v).norm(), 1e-12);
    EXPECT_NEAR(values[static_cast<std::size_t>(k)], values_alone[static_cast<std::size_t>(k)], 1e-12);
  }
}

TEST(SymmetricEigensystem, RejectsEntriesThatAreNotFiniteAndWrongSizes) {
  std::vector<double> matrix(4, std::numeric_limits<double>::quiet_NaN());
  EXPECT_THROW(symmetric_eigenvalues(matrix, 2), std::runtime_error);
  EXPECT_THROW(symmetric_eigenvalues(matrix, 3), std::invalid_argument);
}

TEST(SingularValues, RebuildTheMatrix) {
  for (const auto& [rows, columns] : {std::pair<Eigen::Index, Eigen::Index>{6, 6}, {7, 4}, {4, 7}, {1, 3}}) {
    const auto A = gaussian<double>(rows, columns, 5);
    const Eigen::Index k = std::min(rows, columns);
    const auto count = [](Eigen::Index n) { return static_cast<std::size_t>(n); };
    Matrix<double> work = A;
    const std::span<double> entries(work.data(), count(work.size()));
    SingularValueDecomposition svd = singular_value_decomposition(entries, count(rows), count(columns));
    const Eigen::Map<Matrix<double>> left(svd.left.data(), rows, k), right(svd.right.data(), k, columns);
    const Eigen::Map<Eigen::VectorXd> values(svd.values.data(), k);
    EXPECT_LT((left * values.asDiagonal() * right - A).norm(), 1e-13);
    EXPECT_LT((left.transpose() * left - Eigen::MatrixXd::Identity(k, k)).norm(), 1e-13);
    EXPECT_LT((right * right.transpose() - Eigen::MatrixXd::Identity(k, k)).norm(), 1e-13);
    EXPECT_TRUE(std::is_sorted(svd.values.rbegin(), svd.values.rend()));
    work = A;
    const std::vector<double> alone = singular_values(entries, count(rows), count(columns));
    for (std::size_t i = 0; i < alone.size(); ++i) EXPECT_NEAR(alone[i], svd.values[i], 1e-13);
  }
}

TEST(SingularValues, NeedFiniteEntriesOfTheGivenShape) {
  std::vector<double> matrix{1, 2, 3, std::numeric_limits<double>::quiet_NaN()};
  EXPECT_THROW(singular_values(matrix, 2, 2), std::runtime_error);
  EXPECT_THROW(singular_values(matrix, 3, 2), std::invalid_argument);
}

/// −1 off the diagonal of 2: eigenvalues 2 − 2 cos(kπ/(n + 1)).
TEST(TridiagonalEigenvalues, AreThoseOfTheSecondDifference) {
  constexpr std::size_t n = 40, count = 5;
  const std::vector<double> diagonal(n, 2), off(n - 1, -1);
  const std::vector<double> values = largest_tridiagonal_eigenvalues(diagonal, off, count);
  ASSERT_EQ(values.size(), count);
  for (std::size_t i = 0; i < count; ++i)
    EXPECT_NEAR(values[count - 1 - i], 2 - 2 * std::cos(std::acos(-1) * static_cast<double>(n - i) / (n + 1)), 1e-12);
  EXPECT_THROW(largest_tridiagonal_eigenvalues(diagonal, diagonal, 1), std::invalid_argument);
  EXPECT_THROW(largest_tridiagonal_eigenvalues(diagonal, off, 0), std::invalid_argument);
}

TEST(GeneralEigenvalues, AreThoseOfARotation) {
  std::vector<double> matrix{0, -2, 2, 0};
  for (const std::complex<double>& value : general_eigenvalues(matrix, 2)) {
    EXPECT_NEAR(value.real(), 0, 1e-14);
    EXPECT_NEAR(std::abs(value.imag()), 2, 1e-14);
  }
}

}  // namespace
}  // namespace attnlaw::base
