#pragma once
/// Packs of the columns of a block of samples, for the arithmetic of proximal.h.

#include <algorithm>

#include "attnlaw/theory/channel/proximal.h"

namespace attnlaw::theory {

/// kLanes numbers from `first` on; beyond the end the last one again.
template <class Column>
Pack pack_of(const Column& column, Eigen::Index first) {
  Pack pack;
  for (int lane = 0; lane < kLanes; ++lane) pack.lanes[lane] = column[std::min(first + lane, column.size() - 1)];
  return pack;
}

/// Writes them back.
template <class Column>
void unpack(Pack pack, Eigen::Index first, Column&& column) {
  for (int lane = 0; lane < kLanes && first + lane < column.size(); ++lane) column[first + lane] = pack.lanes[lane];
}

}  // namespace attnlaw::theory
