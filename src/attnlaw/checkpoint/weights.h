#pragma once
/// What the functions of head.h read from.

#include <vector>

#include "attnlaw/checkpoint/file/contents.h"
#include "attnlaw/checkpoint/layout/plan.h"

namespace attnlaw::checkpoint {

/// The tensors of a model, and where the maps of each of its layers lie among them.
struct Weights {
  Contents contents;
  /// In the order of Model::layers.
  std::vector<LayerPlan> plans;
  /// The rows of the layouts that the plans point to.
  std::vector<Layout> rows;
  /// Texts that a row made of options points to.
  std::string query, key;
};

}  // namespace attnlaw::checkpoint
