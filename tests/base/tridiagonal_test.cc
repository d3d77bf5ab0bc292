#include "attnlaw/base/tridiagonal.h"

#include <gtest/gtest.h>

#include <cmath>
#include <stdexcept>

namespace attnlaw::base {
namespace {

/// −1 off the diagonal of 2: eigenvalues 2 − 2 cos(kπ/(n + 1)).
TEST(TridiagonalEigenvalues, AreAllThoseOfTheSecondDifference) {
  constexpr std::size_t n = 40;
  const std::vector<double> values = tridiagonal_eigenvalues(std::vector<double>(n, 2), std::vector<double>(n - 1, -1));
  ASSERT_EQ(values.size(), n);
  for (std::size_t k = 1; k <= n; ++k)
    EXPECT_NEAR(values[k - 1], 2 - 2 * std::cos(std::acos(-1) * static_cast<double>(k) / (n + 1)), 1e-13);
  EXPECT_EQ(tridiagonal_eigenvalues(std::vector<double>{3}, {}), std::vector<double>{3});
  EXPECT_THROW(tridiagonal_eigenvalues(std::vector<double>(3), std::vector<double>(3)), std::invalid_argument);
  EXPECT_THROW(tridiagonal_eigenvalues({}, {}), std::invalid_argument);
}

}  // namespace
}  // namespace attnlaw::base
