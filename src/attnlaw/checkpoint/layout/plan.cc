#include "attnlaw/checkpoint/layout/plan.h"

namespace attnlaw::checkpoint {

using Eigen::Index;

Index Projection::outputs() const {
  if (storage == Storage::heads_first) return weight->rows() * static_cast<Index>(weight->shape.back());
  return storage == Storage::output_first ? weight->rows() : weight->columns();
}

Index Projection::inputs() const {
  if (storage == Storage::heads_first) return static_cast<Index>(weight->shape[1]);
  return storage == Storage::output_first ? weight->columns() : weight->rows();
}

Index LayerPlan::query_row(int head) const {
  const Index m = head_dimension;
  switch (fusing) {
    case Fusing::separate:
    case Fusing::blocks:
      return head * m;
    case Fusing::per_head:
      return 3 * head * m;
    case Fusing::groups:
      break;
  }
  const int shared = heads / key_heads;
  return (head / shared * (shared + 2) + head % shared) * m;
}

Index LayerPlan::key_row(int key_head) const {
  const Index m = head_dimension;
  switch (fusing) {
    case Fusing::separate:
      return key_head * m;
    case Fusing::blocks:
      return (heads + key_head) * m;
    case Fusing::per_head:
      return (3 * key_head + 1) * m;
    case Fusing::groups:
      break;
  }
  const int shared = heads / key_heads;
  return (key_head * (shared + 2) + shared) * m;
}

Index LayerPlan::value_row(int key_head) const {
  switch (fusing) {
    case Fusing::separate:
      return key_head * value_dimension;
    case Fusing::blocks:
      return (heads + key_heads + key_head) * head_dimension;
    case Fusing::per_head:
    case Fusing::groups:
      break;
  }
  return key_row(key_head) + head_dimension;
}

}  // namespace attnlaw::checkpoint
