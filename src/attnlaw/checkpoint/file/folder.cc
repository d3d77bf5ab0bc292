#include "attnlaw/checkpoint/file/folder.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <map>

#include "attnlaw/base/file.h"
#include "attnlaw/base/names.h"
#include "attnlaw/checkpoint/tensor/refuse.h"

namespace attnlaw::checkpoint {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> names_in(const fs::path& folder) {
  std::error_code error;
  std::vector<std::string> names;
  // An error makes the iterator its end: it is looked at behind the loop.
  for (fs::directory_iterator entries(folder, error); entries != fs::directory_iterator(); entries.increment(error))
    names.push_back(entries->path().filename().string());
  if (error) refuse(folder.string(), "cannot be read: {}", error.message());
  std::sort(names.begin(), names.end());
  return names;
}

std::vector<std::string> ending_in(const std::vector<std::string>& names, std::string_view end) {
  std::vector<std::string> found;
  std::copy_if(names.begin(), names.end(), std::back_inserter(found),
               [&](const std::string& name) { return name.ends_with(end); });
  return found;
}

bool has(const std::vector<std::string>& names, const std::string& name) {
  return std::binary_search(names.begin(), names.end(), name);
}

/// Returns the only name, or "" if there is none; several are refused.
std::string only(const fs::path& folder, const std::vector<std::string>& names) {
  if (names.size() <= 1) return names.empty() ? "" : names.front();
  std::vector<std::string> shown;
  for (const std::string& name : names) shown.push_back(printable(name));
  constexpr std::size_t kShown = 8;
  const std::string list = fmt::format(
      "{}{}", fmt::join(shown.begin(), shown.begin() + std::ptrdiff_t(std::min(kShown, shown.size())), ", "),
      shown.size() > kShown ? ", ..." : "");
  refuse(folder.string(), "has {} models; name one of them: {}", names.size(), list);
}

/// Files that hold weights and are not read, with what to do.
[[noreturn]] void refuse_folder(const fs::path& folder, const std::vector<std::string>& names) {
  for (std::string_view end : {".bin", ".pt", ".pth", ".ckpt", ".pkl"}) {
    const std::vector<std::string> pickles = ending_in(names, end);
    if (!pickles.empty()) refuse_pickle((folder / pickles.front()).string());
  }
  for (std::string_view end : {".h5", ".msgpack", ".tflite", ".mlmodel"}) {
    const std::vector<std::string> others = ending_in(names, end);
    if (!others.empty()) refuse((folder / others.front()).string(), "is not read; convert the model to safetensors");
  }
  refuse(folder.string(), "the folder has no weights (safetensors, GGUF, ONNX, npz)");
}

std::string choose(const fs::path& folder, const std::vector<std::string>& names) {
  for (const char* name : {"model.safetensors.index.json", "model.safetensors", "adapter_model.safetensors"})
    if (has(names, name)) return name;
  const std::vector<std::string> indices = ending_in(names, ".safetensors.index.json");
  if (!indices.empty()) return only(folder, indices);
  const std::vector<std::string> tensors = ending_in(names, ".safetensors");
  for (const std::string& name : tensors)
    if (name.find("-of-") != std::string::npos)
      refuse(folder.string(), "has the shard {} and no model.safetensors.index.json that lists the shards",
             printable(name));
  for (std::string_view end : {".safetensors", ".gguf", ".onnx", ".npz", ".npy"}) {
    const std::string name = only(folder, ending_in(names, end));
    if (!name.empty()) return name;
  }
  if (has(names, "onnx")) {
    const std::vector<std::string> below = names_in(folder / "onnx");
    if (has(below, "model.onnx")) return "onnx/model.onnx";
  }
  refuse_folder(folder, names);
}

/// The revision that a hub's cache takes for the newest: what refs/main says, if it is one of the snapshots.
std::string newest_revision(const fs::path& folder, const std::vector<std::string>& revisions) {
  constexpr std::uintmax_t kLongest = 256;
  const fs::path main = folder / "refs" / "main";
  std::error_code error;
  if (!fs::is_regular_file(main, error) || fs::file_size(main, error) > kLongest) return "";
  std::string revision = base::read_text(main.string());
  while (!revision.empty() && std::isspace(static_cast<unsigned char>(revision.back()))) revision.pop_back();
  return has(revisions, revision) ? revision : "";
}

/// The folder of a model in a hub's cache has its files in snapshots/<revision>; of several it is the one of refs/main,
/// or the user names one.
fs::path snapshot_of(const fs::path& folder) {
  const fs::path snapshots = folder / "snapshots";
  std::error_code error;
  if (!fs::is_directory(snapshots, error)) return folder;
  const std::vector<std::string> revisions = names_in(snapshots);
  std::string revision = newest_revision(folder, revisions);
  if (revision.empty()) revision = only(snapshots, revisions);
  if (revision.empty()) refuse(snapshots.string(), "the cache has no snapshot of the model");
  return snapshots / revision;
}

bool is_weights(const std::string& name) {
  for (std::string_view end : {".safetensors", ".gguf", ".onnx", ".npz", ".bin", ".pt", ".pth", ".h5", ".msgpack"})
    if (name.ends_with(end)) return true;
  return false;
}

void note_others(Located& located, const std::vector<std::string>& names, const std::string& chosen) {
  std::vector<std::string> others;
  for (const std::string& name : names)
    // Shards belong to their index.
    if (is_weights(name) && name != chosen && !(chosen.ends_with(".json") && name.find("-of-") != std::string::npos))
      others.push_back(printable(name));
  constexpr std::size_t kShown = 5;
  if (others.size() > kShown) others.resize(kShown);
  if (!others.empty())
    located.notes.push_back(
        fmt::format("{} was read; not read in the same folder: {}.", printable(chosen), fmt::join(others, ", ")));
}

}  // namespace

Located locate(const std::string& path) {
  Located located;
  std::error_code error;
  fs::path folder;
  if (fs::is_directory(path, error)) {
    folder = snapshot_of(path);
    const std::vector<std::string> names = names_in(folder);
    const std::string chosen = choose(folder, names);
    located.file = (folder / chosen).string();
    if (folder != fs::path(path))
      located.notes.push_back(fmt::format("The snapshot {} was read.", printable(folder.filename().string())));
    note_others(located, names, chosen);
  } else {
    located.file = path;
    folder = fs::path(path).parent_path();
  }
  const std::string name = fs::path(located.file).filename().string();
  const std::string adapter_config = (folder / "adapter_config.json").string();
  located.adapter = name.starts_with("adapter_model") && fs::exists(adapter_config, error);
  for (const std::string& config : {adapter_config, (folder / "config.json").string()}) {
    const bool wanted = located.adapter == config.ends_with("adapter_config.json");
    // What is in the way of a file is found when it is read.
    if (wanted && fs::exists(fs::symlink_status(config, error))) located.config = config;
  }
  return located;
}

bool holds_model(const std::string& path) {
  try {
    return !locate(path).file.empty();
  } catch (const base::FileError&) {
    return false;
  }
}

}  // namespace attnlaw::checkpoint
