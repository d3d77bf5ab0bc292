#include "attnlaw/checkpoint/open.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "attnlaw/base/names.h"
#include "attnlaw/base/reject.h"
#include "attnlaw/checkpoint/file/folder.h"
#include "attnlaw/checkpoint/layout/adapter.h"
#include "attnlaw/checkpoint/layout/recognise.h"
#include "attnlaw/checkpoint/open_contents.h"
#include "attnlaw/checkpoint/source.h"
#include "attnlaw/checkpoint/tensor/refuse.h"

namespace attnlaw::checkpoint {
namespace {

using base::reject;

void require_valid(const OpenOptions& options) {
  if (options.heads < 0) reject("heads must be a whole number from 1, got {}", options.heads);
  if (options.kv_heads < 0) reject("kv_heads must be a whole number from 1, got {}", options.kv_heads);
  if (options.heads > 0 && options.kv_heads > 0 && options.heads % options.kv_heads != 0)
    reject("kv_heads must divide heads = {}, got {}", options.heads, options.kv_heads);
  if (options.query.empty() != options.key.empty()) reject("q and k must be given together");
  const std::vector<std::string> names = layout_names();
  if (!options.layout.empty() && std::find(names.begin(), names.end(), options.layout) == names.end())
    reject("layout must be {}, got '{}'", base::alternatives(names), options.layout);
}

/// Two files of arrays.
Source read_arrays(const OpenOptions& options) {
  if (options.query.empty()) reject("a checkpoint, or q and k, must be given");
  Contents contents(options.query, "npy");
  const auto add = [&](const std::string& path, const char* name) {
    const Contents part = read_file(path);
    if (part.format != "npy") refuse(path, "is no array of NumPy; q and k without a checkpoint must be .npy files");
    Tensor tensor = part.tensors().front();
    tensor.name = name;
    contents.add(std::move(tensor));
  };
  add(options.query, "q");
  add(options.key, "k");
  Configuration configuration = configuration_of(contents, "");
  return {std::move(contents), std::move(configuration), {}, false, true};
}

Source read_adapter(const Located& located, const OpenOptions& options) {
  const Contents adapter = read_file(located.file);
  if (options.base.empty()) {
    Contents alone = with_adapter(adapter, located.config, nullptr);
    Configuration configuration = configuration_of(alone, "");
    return {std::move(alone), std::move(configuration), located.notes, true};
  }
  const Located base_place = locate(options.base);
  const Contents base = read_file(base_place.file, options.keep_going);
  refuse_known(base);
  Contents both = with_adapter(adapter, located.config, &base);
  Configuration configuration = configuration_of(base, base_place.config);
  std::vector<std::string> notes = located.notes;
  notes.push_back(fmt::format("The maps are those of {} with the adapter {}.", printable_path(base.path),
                              printable_path(adapter.path)));
  return {std::move(both), std::move(configuration), std::move(notes), false};
}

Source read_source(const std::string& path, const OpenOptions& options) {
  if (path.empty()) return read_arrays(options);
  const Located located = locate(path);
  if (located.adapter) return read_adapter(located, options);
  if (!options.base.empty())
    reject("base is for adapters (adapter_model.safetensors with adapter_config.json); {} is none", path);
  Contents contents = read_file(located.file, options.keep_going);
  Configuration configuration = configuration_of(contents, located.config);
  std::vector<std::string> notes = located.notes;
  notes.insert(notes.end(), contents.notes.begin(), contents.notes.end());
  return {std::move(contents), std::move(configuration), std::move(notes), false};
}

}  // namespace

Model open_model(const std::string& path, const OpenOptions& options) {
  require_valid(options);
  return model_of(read_source(path, options), options);
}

Model open_contents(Contents contents, const nlohmann::json& config, const OpenOptions& options) {
  require_valid(options);
  const bool arrays = contents.tensors().size() == 2 && contents.find("q") && contents.find("k");
  Configuration configuration(contents.path, config.is_null() ? nlohmann::json::object() : config);
  return model_of({std::move(contents), std::move(configuration), {}, false, arrays}, options);
}

}  // namespace attnlaw::checkpoint
