#pragma once
/// Opens checkpoints of transformers: safetensors (one file, shards with an index, adapters), GGUF, ONNX, npz, npy.

#include <string>

#include "attnlaw/checkpoint/model.h"

namespace attnlaw::checkpoint {

/// What the user may say by hand; what is not said is found from names, shapes and config.json.
struct OpenOptions {
  /// Numbers of query heads and of key heads; zero: from the configuration.
  int heads = 0;
  int kv_heads = 0;
  /// A row of the table of layouts (`layout_names`); empty: by the names of the tensors.
  std::string layout = {};
  /// Names of the tensors of queries and keys, with {} for the number of the layer; or two .npy files, and then the
  /// path is empty. Empty: by the layout.
  std::string query = {};
  std::string key = {};
  /// The model that an adapter belongs to: the maps are those after the adapter. Empty: of the adapter alone.
  std::string base = {};
  /// Multiplies the gain of the normalisation in front of a layer into its maps where that is possible, and centres
  /// where the normalisation does.
  bool fold_normalisation = false;
  /// Shards that cannot be read, and layers whose heads cannot be counted, are skipped with the reason as long as
  /// others are left.
  bool keep_going = false;
};

/// Opens a file or a folder; it reads headers and small vectors, no matrix. Throws base::FileError, in one line with
/// file and tensor, key or byte, for what is not a readable model, and std::invalid_argument for options that
/// contradict it.
Model open_model(const std::string& path, const OpenOptions& options = {});

}  // namespace attnlaw::checkpoint
