#pragma once
/// Where the maps of each layer's heads lie among the tensors of a checkpoint.

#include <Eigen/Core>
#include <string>
#include <vector>

#include "attnlaw/checkpoint/file/contents.h"
#include "attnlaw/checkpoint/layout/layouts.h"

namespace attnlaw::checkpoint {

/// A linear map of the model: its matrix, how that lies, and its bias (null without).
struct Projection {
  const Tensor* weight = nullptr;
  const Tensor* bias = nullptr;
  Storage storage = Storage::output_first;

  Eigen::Index outputs() const;
  Eigen::Index inputs() const;
};

/// One layer as the layout found it, before the heads are counted.
struct LayerPlan {
  const Layout* layout = nullptr;
  /// What precedes the layout's names.
  std::string prefix;
  int index = 0;
  Fusing fusing = Fusing::separate;
  /// All three are the same if they are fused.
  Projection query;
  Projection key;
  Projection value;
  Projection output;
  /// The gain and the shift of the normalisation in front; null if there is none to fold.
  const Tensor* gain = nullptr;
  const Tensor* shift = nullptr;
  Norm norm = Norm::unknown;
  /// Gains of the normalisation of queries and keys per head.
  const Tensor* query_gain = nullptr;
  const Tensor* key_gain = nullptr;

  // Counted: see count_heads.
  int heads = 0;
  int key_heads = 0;
  Eigen::Index head_dimension = 0;
  Eigen::Index value_dimension = 0;
  std::string block;

  bool cross() const { return layout->cross; }
  /// The first output coordinate of a head's queries, of a key head's keys and of its values.
  Eigen::Index query_row(int head) const;
  Eigen::Index key_row(int key_head) const;
  Eigen::Index value_row(int key_head) const;
};

}  // namespace attnlaw::checkpoint
