#pragma once
/// The tensors and the metadata of a checkpoint, whatever its format.

#include <cstddef>
#include <deque>
#include <map>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "attnlaw/checkpoint/tensor/skipped.h"
#include "attnlaw/checkpoint/tensor/tensor.h"

namespace attnlaw::checkpoint {

/// The tensors of one or several files, by name. Tensors stay where they are while others are added.
class Contents {
 public:
  Contents(std::string file, std::string format_name);

  /// Adds a tensor. Throws base::FileError if its name is there.
  void add(Tensor tensor);
  /// Finds a tensor by its name, or by what layouts know it as; null if there is none.
  const Tensor* find(std::string_view name) const;
  const std::deque<Tensor>& tensors() const { return tensors_; }

  /// What was read: the file, or the index of several; and its format.
  std::string path;
  std::string format;
  /// Metadata of GGUF, with the keys of the file; metadata of safetensors (texts). Never null.
  std::shared_ptr<nlohmann::json> metadata;
  std::vector<Skipped> skipped;
  std::vector<std::string> notes;
  /// The strings of the vocabulary, where the file itself has them.
  std::vector<std::string> tokens;

 private:
  std::deque<Tensor> tensors_;
  std::map<std::string, const Tensor*, std::less<>> by_name_;
};

/// Reads mapped weights of any format, told by the first bytes and the end of the name. Throws base::FileError, also,
/// saying what to do, for what is often taken for weights: pickles of PyTorch, pointers of Git LFS, HDF5.
Contents read_mapped(std::shared_ptr<const MappedFile> file);

/// Reads a file of weights, or an index (.json) of shards. Throws base::FileError; to keep going, not for a shard that
/// cannot be read beside others that can: it is skipped, and its tensors are absent.
Contents read_file(const std::string& path, bool keep_going = false);

}  // namespace attnlaw::checkpoint
