#include "attnlaw/matrix_laws/nulls/input_rotation.h"

#include <algorithm>
#include <cmath>

#include "attnlaw/base/normal.h"
#include "attnlaw/base/streams.h"
#include "attnlaw/matrix_laws/nulls/edge_tests.h"
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
                                          std::size_t most, Eigen::Index leading, std::uint64_t seed,
                                          std::uint64_t head) {
  const Eigen::VectorXd top = s.head(std::min(leading, s.size()));
  const auto m = static_cast<int>(top.size());
  const double squares = s.squaredNorm(), share = top.squaredNorm() / squares, mean = 1.0 / d;
  const bool rest = top.size() < s.size();
  const double of_top = share * share * rotated_symmetry(top, d).variance;
  const double symmetry_width = std::sqrt(std::max(0.0, rotated_symmetry(s, d).variance - of_top));
  const double trace_width = std::sqrt(std::max(0.0, squares * (1 - share) / d));
  InputRotationCounts counts{{draws, most}, {draws, most}};
  for (std::size_t draw = 0; counts.symmetry.open() || counts.trace.open(); ++draw) {
    Draws rotation(seed, base::stream_id(base::Stream::input_rotations, head, draw));
    const Eigen::MatrixXd scaled = top.asDiagonal() * haar_corner(m, d, rotation);
    double symmetry = (scaled.array() * scaled.transpose().array()).sum() / squares, drawn_trace = scaled.trace();
    if (rest) {
      symmetry += (1 - share) * mean + symmetry_width * rotation.normal();
      drawn_trace += trace_width * rotation.normal();
    }
    if (counts.symmetry.open()) counts.symmetry.add(std::abs(symmetry - mean) >= std::abs(tau - mean));
    if (counts.trace.open()) counts.trace.add(std::abs(drawn_trace) >= std::abs(trace));
  }
  return counts;
}

double two_sided_normal(const Cumulants& null, double value) {
  return std::clamp(2 * base::normal_cdf(-std::abs(value - null.mean) / std::sqrt(null.variance)), kLeastPValue, 1.0);
}

}  // namespace attnlaw::matrix_laws
