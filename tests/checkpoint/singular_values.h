#pragma once
/// Singular values of the maps of heads, by Eigen's dense decomposition of the whole d × d matrix.

#include <Eigen/Dense>
#include <vector>

#include "attnlaw/checkpoint/head.h"
#include "decompositions.h"

namespace attnlaw::test {

/// Returns the singular values of queryᵀ key, descending, as many as the head has coordinates.
inline Eigen::VectorXd singular_values(const checkpoint::Head& head) {
  const Eigen::MatrixXd map = head.query.transpose() * head.key;
  return singular_values(map).head(head.query.rows());
}

inline std::vector<checkpoint::Head> all_heads(const checkpoint::Model& model) {
  std::vector<checkpoint::Head> heads;
  checkpoint::visit_heads(model, [&](std::vector<checkpoint::Head>&& layer) {
    for (checkpoint::Head& head : layer) heads.push_back(std::move(head));
  });
  return heads;
}

}  // namespace attnlaw::test
