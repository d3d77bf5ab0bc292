#pragma once
/// The sample points of expectations over fields.

#include <memory>
#include <vector>

#include "attnlaw/theory/channel/pack.h"

namespace attnlaw::theory {

/// Independent scrambles of a rule, kLanes points at a time.
struct PointSet {
  std::vector<Pack> normals;            ///< per pack: all coordinates
  std::vector<Pack> weights;            ///< per pack; of sum 1 within a replicate
  std::vector<std::size_t> first_pack;  ///< of each replicate, and the end
};

/// The points of a dimension and size: always the same ones, and shared as long as somebody holds them.
std::shared_ptr<const PointSet> point_set(std::size_t dimension, int log2_points);

}  // namespace attnlaw::theory
