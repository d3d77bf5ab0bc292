#pragma once
/// From what a reader found to a model.

#include <string>
#include <vector>

#include "attnlaw/checkpoint/layout/configuration.h"
#include "attnlaw/checkpoint/open.h"

namespace attnlaw::checkpoint {

/// What was read, before layers are looked for.
struct Source {
  Contents contents;
  Configuration configuration;
  std::vector<std::string> notes;
  /// The products of low rank of an adapter, without its base.
  bool adapter_alone = false;
  /// The tensors q and k of two files of arrays.
  bool two_arrays = false;
};

/// Finds the layers and describes the model. Throws as open_model does.
Model model_of(Source source, const OpenOptions& options);

}  // namespace attnlaw::checkpoint
