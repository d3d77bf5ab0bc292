#include "attnlaw/matrix_laws/nulls/input_rotation.h"

#include <algorithm>
#include <cmath>

#include "attnlaw/base/normal.h"
#include "attnlaw/base/streams.h"
#include "attnlaw/matrix_laws/nulls/random_matrices.h"

namespace attnlaw::matrix_laws {

Cumulants rotated_symmetry(const Eigen::VectorXd& s, int d) {
  const double n = d, squares = s.squaredNorm();
  const double fourth = s.array().pow(4.0).sum() / (squares * squares);
  return {1 / n, (3 * (n + 1) - 6 * fourth) / (n * (n - 1) * (n + 2)) - 1 / (n * n), 0};
}

Cumulants rotated_trace(const Eigen::VectorXd& s, int d) { return {0, s.squaredNorm() / d, 0}; }

Cumulants flipped_symmetry(const Eigen::MatrixXd& query, const Eigen::MatrixXd& key) {
  constexpr Eigen::Index kBlock = 64;
  const Eigen::Index d = query.cols();
  Cumulants null;
  for (Eigen::Index from = 0; from < d; from += kBlock) {
    const Eigen::Index rows = std::min(kBlock, d - from), rest = d - from;
    // Entries S_ij and S_ji with i in the block and j from its start on.
    const Eigen::ArrayXXd right = query.middleCols(from, rows).transpose() * key.rightCols(rest);
    const Eigen::ArrayXXd left = (query.rightCols(rest).transpose() * key.middleCols(from, rows)).transpose();
    const Eigen::ArrayXXd products = (right * left).square();
    for (Eigen::Index i = 0; i < rows; ++i) {
      null.mean += right(i, i) * right(i, i);
      null.variance += 4 * products.row(i).tail(rest - i - 1).sum();
    }
  }
  return null;
}

InputRotationCounts count_input_rotations(const Eigen::VectorXd& s, int d, double tau, double trace, std::size_t draws,
                                          std::uint64_t seed, std::uint64_t head) {
  const auto m = static_cast<int>(s.size());
  const double squares = s.squaredNorm(), mean = 1.0 / d;
  InputRotationCounts counts;
  for (std::size_t draw = 0; draw < draws; ++draw) {
    Draws rotation(seed, base::stream_id(base::Stream::input_rotations, head, draw));
    const Eigen::MatrixXd scaled = s.asDiagonal() * haar_corner(m, d, rotation);
    const double drawn = (scaled.array() * scaled.transpose().array()).sum() / squares;
    if (std::abs(drawn - mean) >= std::abs(tau - mean)) ++counts.symmetry;
    if (std::abs(scaled.trace()) >= std::abs(trace)) ++counts.trace;
  }
  return counts;
}

double two_sided_normal(const Cumulants& null, double value) {
  return std::min(1.0, 2 * base::normal_cdf(-std::abs(value - null.mean) / std::sqrt(null.variance)));
}

}  // namespace attnlaw::matrix_laws
