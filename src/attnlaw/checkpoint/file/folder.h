#pragma once
/// Finds the file that a folder's model is in.

#include <string>
#include <vector>

namespace attnlaw::checkpoint {

/// What stands for a path that the user gave.
struct Located {
  /// The file, or the index of shards.
  std::string file;
  /// config.json in the same folder, adapter_config.json for an adapter; empty without.
  std::string config;
  bool adapter = false;
  /// Which of several was taken.
  std::vector<std::string> notes;
};

/// Resolves a path: a file is itself; a folder is its index of shards, model.safetensors, adapter_model.safetensors,
/// the only other safetensors file, the only GGUF, ONNX or npz file, in this order; the folder of a model in a hub's
/// cache (models--owner--name) is its snapshot, of several that of refs/main. Throws base::FileError for folders
/// without weights, with several models of one format, or with pickles alone.
Located locate(const std::string& path);

/// Whether locate() finds a model.
bool holds_model(const std::string& path);

}  // namespace attnlaw::checkpoint
