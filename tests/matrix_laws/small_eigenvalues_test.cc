#include "attnlaw/matrix_laws/nulls/small_eigenvalues.h"

#include <gtest/gtest.h>

#include <Eigen/QR>
#include <cmath>
#include <limits>
#include <stdexcept>

#include "decompositions.h"
#include "gaussian.h"

namespace attnlaw::matrix_laws {
namespace {

using Eigen::MatrixXd;

/// V diag-of-blocks V⁻¹ with a V that is not orthogonal.
MatrixXd similar(const MatrixXd& blocks, std::uint64_t stream) {
  const MatrixXd V = test::gaussian(blocks.rows(), blocks.cols(), 1, stream);
  return V * blocks * V.inverse();
}

TEST(SpectralRadius, IsThatOfAllEigenvalues) {
  for (const int m : {1, 2, 3, 8, 32, 64})
    for (std::uint64_t stream = 0; stream < 4; ++stream) {
      const MatrixXd C = test::gaussian(m, m, 1, stream);
      const double expected = C.eigenvalues().cwiseAbs().maxCoeff();
      EXPECT_NEAR(spectral_radius(C), expected, 1e-9 * expected) << m;
      EXPECT_NEAR(spectral_radius(1e150 * C), 1e150 * expected, 1e141 * expected);
    }
}

TEST(SpectralRadius, MayBelongToAPairToOneOrToMany) {
  // A real eigenvalue, a pair r e^{±iφ}, both signs, a Jordan block, three on a circle.
  MatrixXd one = MatrixXd::Identity(4, 4) * 0.5, pair = one, signs = one, jordan = one;
  one(2, 2) = -3;
  pair.topLeftCorner(2, 2) << 2 * std::cos(1), -2 * std::sin(1), 2 * std::sin(1), 2 * std::cos(1);
  signs(0, 0) = 2, signs(3, 3) = -2;
  jordan.topLeftCorner(2, 2) << 2, 1, 0, 2;
  MatrixXd cycle = MatrixXd::Zero(3, 3);
  cycle(0, 1) = cycle(1, 2) = cycle(2, 0) = 2;
  EXPECT_NEAR(spectral_radius(similar(one, 1)), 3, 1e-9);
  EXPECT_NEAR(spectral_radius(similar(pair, 2)), 2, 1e-9);
  EXPECT_NEAR(spectral_radius(similar(signs, 3)), 2, 1e-9);
  EXPECT_NEAR(spectral_radius(jordan), 2, 1e-7);  // of a double eigenvalue half of the digits are known
  EXPECT_NEAR(spectral_radius(cycle), 2, 1e-9);
}

TEST(SpectralRadius, OfAMatrixThatVanishesIsZero) {
  EXPECT_EQ(spectral_radius(MatrixXd::Zero(3, 3)), 0);
  MatrixXd nilpotent = MatrixXd::Zero(3, 3);
  nilpotent(0, 1) = nilpotent(1, 2) = 1;
  EXPECT_EQ(spectral_radius(nilpotent), 0);
}

TEST(EigenvaluesOfSymmetric, AreThoseOfEigen) {
  for (const int m : {1, 2, 3, 32, 161}) {
    const MatrixXd W = test::gaussian(m, m, 1, 5);
    MatrixXd G = W + W.transpose();
    const Eigen::VectorXd expected = test::eigenvalues(G);
    // Only the lower triangle is read.
    if (m > 1) G(0, m - 1) = 1e9;
    const std::vector<double> values = eigenvalues_of_symmetric(G);
    ASSERT_EQ(values.size(), static_cast<std::size_t>(m));
    for (int i = 0; i < m; ++i) EXPECT_NEAR(values[static_cast<std::size_t>(i)], expected[i], 1e-12 * m);
  }
  EXPECT_THROW(eigenvalues_of_symmetric(MatrixXd::Constant(3, 3, std::numeric_limits<double>::quiet_NaN())),
               std::runtime_error);
}

TEST(LargestEigenvalue, IsComparedWithABound) {
  const MatrixXd W = test::gaussian(16, 16, 1, 6), G = W * W.transpose();
  const double largest = eigenvalues_of_symmetric(G).back();
  EXPECT_TRUE(largest_eigenvalue_reaches(G, largest * (1 - 1e-10)));
  EXPECT_FALSE(largest_eigenvalue_reaches(G, largest * (1 + 1e-10)));
}

}  // namespace
}  // namespace attnlaw::matrix_laws
