#pragma once
/// Symmetric positive definite matrices that are kept as one triangle: little more than half of the memory of a square,
/// factored by LAPACK at the speed of matrix products (rectangular full packed format).

#include <cstddef>
#include <span>
#include <vector>

namespace attnlaw::base {

/// The lower triangle of a symmetric matrix of order n.
class PackedTriangle {
 public:
  explicit PackedTriangle(std::size_t n) : n_(n), entries_(n * (n + 1) / 2) {}

  /// Returns the bytes of a triangle of order n, as a double, which cannot overflow.
  static double bytes(double n) { return 0.5 * n * (n + 1) * sizeof(double); }

  std::size_t order() const { return n_; }

  /// Returns the entry of row i and column j ≤ i.
  double& operator()(std::size_t i, std::size_t j) { return entries_[index(i, j)]; }
  double operator()(std::size_t i, std::size_t j) const { return entries_[index(i, j)]; }

  /// Replaces b by the solution of A x = b; the triangle is overwritten by its Cholesky factor. Throws
  /// std::invalid_argument for a b of another length, std::runtime_error unless A is positive definite to rounding.
  void solve(std::span<double> b);

 private:
  /// The second half of the columns stands, transposed, above the first half.
  std::size_t index(std::size_t i, std::size_t j) const {
    const std::size_t even = 1 - n_ % 2, stride = n_ + even, half = (n_ + 1) / 2;
    return j < half ? j * stride + i + even : (i - half + 1 - even) * stride + j - half;
  }

  std::size_t n_;
  std::vector<double> entries_;
};

}  // namespace attnlaw::base
