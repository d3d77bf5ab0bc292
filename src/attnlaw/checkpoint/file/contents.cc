#include "attnlaw/checkpoint/file/contents.h"

#include <nlohmann/json.hpp>

#include "attnlaw/checkpoint/file/cursor.h"
#include "attnlaw/checkpoint/file/gguf.h"
#include "attnlaw/checkpoint/file/npy.h"
#include "attnlaw/checkpoint/file/npz.h"
#include "attnlaw/checkpoint/file/onnx.h"
#include "attnlaw/checkpoint/file/safetensors.h"

namespace attnlaw::checkpoint {

Contents::Contents(std::string file, std::string format_name)
    : path(std::move(file)),
      format(std::move(format_name)),
      metadata(std::make_shared<nlohmann::json>(nlohmann::json::object())) {}

void Contents::add(Tensor tensor) {
  tensors_.push_back(std::move(tensor));
  const Tensor& kept = tensors_.back();
  if (!by_name_.emplace(kept.name, &kept).second)
    refuse(kept.file->path(), "the tensor '{}' stands twice", printable(kept.name));
  if (!kept.alias.empty()) by_name_.emplace(kept.alias, &kept);
}

const Tensor* Contents::find(std::string_view name) const {
  const auto found = by_name_.find(name);
  return found == by_name_.end() ? nullptr : found->second;
}

namespace {

/// Refuses what is often taken for a checkpoint, with what to do.
void refuse_relatives(const std::string& path, std::string_view head) {
  if (head.starts_with("version https://git-lfs") || head.starts_with("https://git-lfs"))
    refuse(path, "is a Git LFS pointer, not the file itself; fetch it with git lfs pull");
  const bool zip_of_torch = head.starts_with("PK") && head.find("data.pkl") != std::string_view::npos;
  const bool pickle = head.starts_with("\x80\x02") || head.starts_with("\x80\x03") || head.starts_with("\x80\x04");
  if (zip_of_torch || pickle || head.find("archive/data.pkl") != std::string_view::npos) refuse_pickle(path);
  if (head.starts_with("\x89HDF\r\n"))
    refuse(path, "is an HDF5 file, which is not read; convert the model to safetensors");
  if (head.starts_with("ggml") || head.starts_with("lmgg") || head.starts_with("tjgg"))
    refuse(path, "is a file of ggml before GGUF, which is not read; convert the model to GGUF or safetensors");
}

}  // namespace

Contents read_mapped(std::shared_ptr<const MappedFile> file) {
  const std::string& path = file->path();
  const std::string_view text = text_of(file->bytes());
  refuse_relatives(path, text.substr(0, 200));
  if (text.starts_with("GGUF") || text.starts_with("FUGG") || path.ends_with(".gguf"))
    return read_gguf(std::move(file));
  if (text.starts_with("\x93NUMPY") || path.ends_with(".npy")) return read_npy(std::move(file));
  if (path.ends_with(".npz") || text.starts_with("PK\x03\x04")) return read_npz(std::move(file));
  if (path.ends_with(".onnx")) return read_onnx(std::move(file));
  return read_safetensors(std::move(file));
}

Contents read_file(const std::string& path, bool keep_going) {
  if (path.ends_with(".json")) return read_sharded_safetensors(path, keep_going);
  return read_mapped(std::make_shared<const MappedFile>(path));
}

}  // namespace attnlaw::checkpoint
