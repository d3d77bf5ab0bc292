#pragma once
/// Matrices of independent standard normal numbers.

#include <Eigen/Core>
#include <cstdint>
#include <span>

#include "attnlaw/base/random.h"

namespace attnlaw::test {

inline Eigen::MatrixXd gaussian(Eigen::Index rows, Eigen::Index columns, std::uint64_t seed, std::uint64_t stream) {
  Eigen::MatrixXd W(rows, columns);
  base::NormalStream(seed, stream).fill(0, std::span(W.data(), static_cast<std::size_t>(W.size())));
  return W;
}

}  // namespace attnlaw::test
