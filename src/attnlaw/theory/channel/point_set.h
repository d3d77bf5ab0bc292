#pragma once
/// The points of expectations over a label's field and a student's field (docs/theory/quadrature.md).

#include <memory>
#include <vector>

#include "attnlaw/theory/channel/pack.h"
#include "attnlaw/theory/channel/point_rule.h"

namespace attnlaw::theory {

/// Replicates of a rule, kLanes points at a time.
struct PointSet {
  std::vector<Pack> normals;               ///< per pack: the τ of all coordinates, then their ρ
  std::vector<Pack> weights;               ///< per pack; of sum 1 within a replicate
  std::vector<std::size_t> first_pack{0};  ///< of each replicate, and the end
  std::size_t points = 0;                  ///< in all, without those that fill up packs

  std::size_t replicates() const { return first_pack.size() - 1; }
};

/// Sobol points of `dimension` standard normals: always the same ones. Both kinds of sets are shared as long as
/// somebody holds them.
std::shared_ptr<const PointSet> point_set(std::size_t dimension, int log2_points);

/// The points of a rule for fields of so many coordinates: 1 or 2 for a grid.
std::shared_ptr<const PointSet> point_set(std::size_t coordinates, const PointRule& rule);

}  // namespace attnlaw::theory
