#pragma once
/// Small random matrices behind the finite-size nulls. Each is made of the numbers of one Draws, in a fixed order.

#include <Eigen/Core>
#include <array>
#include <cstdint>
#include <numeric>
#include <span>
#include <vector>

#include "attnlaw/base/random.h"

namespace attnlaw::matrix_laws {

/// Reads a normal stream from its beginning, and makes other laws of its numbers. They have the digits of single
/// precision, which takes a fifth of the time: no statistic of a null depends on the others.
class Draws {
 public:
  Draws(std::uint64_t seed, std::uint64_t stream) : normals_(seed, stream) {}

  double normal();
  /// Fills a range, column after column for a matrix of Eigen.
  void fill(std::span<double> out);
  /// Returns a χ² number of `degrees` ≥ 1 degrees of freedom (Marsaglia and Tsang, ACM Trans. Math. Softw. 26 (2000)
  /// 363, whose acceptance takes an exponential number, here half a sum of two squares).
  double chi_squared(int degrees);

 private:
  void read();

  base::NormalStream normals_;
  std::array<float, 256> buffer_{};
  std::size_t next_ = buffer_.size();
  std::uint64_t read_ = 0;
};

/// Returns an m×n matrix of N(0,1) entries.
Eigen::MatrixXd normal_matrix(int m, int n, Draws& draws);

/// Returns the lower triangular L for which L Lᵀ has the law of X Xᵀ, X an m×d matrix of N(0,1) entries, m ≤ d
/// (Bartlett's decomposition): normal below the diagonal, L_ii² = χ² of d − i degrees, i = 0 … m − 1.
Eigen::MatrixXd bartlett_factor(int m, int d, Draws& draws);

/// Returns a uniformly distributed matrix of O(m): Q of a Gaussian matrix with the signs that make the diagonal of R
/// positive (without them the law would not be uniform), a product of reflections of independent Gaussian vectors of m,
/// m − 1, …, 1 entries (Stewart, SIAM J. Numer. Anal. 17 (1980) 403).
Eigen::MatrixXd haar_matrix(int m, Draws& draws);

/// Returns the upper left m×m corner of a uniformly distributed matrix of O(d), m ≤ d, in O(m³).
Eigen::MatrixXd haar_corner(int m, int d, Draws& draws);

/// Returns a uniformly distributed permutation of 0 … n − 1.
std::vector<Eigen::Index> permutation(std::size_t n, Draws& draws);

/// Brings values into an order that is uniform among all (Fisher and Yates), from the first numbers of the stream.
void shuffle(std::span<float> values, const base::UniformStream& stream);

}  // namespace attnlaw::matrix_laws
