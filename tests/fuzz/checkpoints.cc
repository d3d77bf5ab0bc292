/// Checkpoints of real models, in every format, and the documents beside them.
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <span>
#include <string>

#include "attnlaw/checkpoint/head.h"
#include "attnlaw/checkpoint/open.h"
#include "attnlaw/checkpoint/source.h"
#include "fuzz/targets.h"

namespace attnlaw::fuzz {
namespace {

using checkpoint::Head;
using checkpoint::Layer;
using checkpoint::Model;

/// Heads up to this size are read: sparse shapes of a small file are no matter of the readers.
constexpr Eigen::Index kLargest = 1 << 16;

void require_shape(const Layer& layer, const Head& head) {
  const bool fits = head.query.rows() == layer.head_dimension && head.key.rows() == layer.head_dimension &&
                    head.query.cols() == layer.query_dimension && head.key.cols() == layer.key_dimension;
  if (!fits) throw FaultFound{"a head does not have the shape of its layer"};
  if (head.defect.empty() && !(head.query.allFinite() && head.key.allFinite()))
    throw FaultFound{"weights that are not finite are not reported"};
}

/// Reads a model from bytes in memory, and the first and the last head of each layer.
void read_model(const std::string& name, std::string_view input, int heads) {
  if (input.empty()) return;
  auto file = std::make_shared<const checkpoint::MappedFile>(name, std::as_bytes(std::span(input)));
  checkpoint::Contents contents = checkpoint::read_mapped(std::move(file));
  checkpoint::Configuration configuration = checkpoint::configuration_of(contents, "");
  const Model model = checkpoint::model_of({std::move(contents), std::move(configuration), {}}, {.heads = heads});
  for (const Layer& layer : model.layers) {
    if (layer.heads < 1 || layer.key_heads < 1 || layer.heads % layer.key_heads != 0)
      throw FaultFound{"a layer has heads that do not divide"};
    const Eigen::Index size = Eigen::Index(layer.head_dimension) * (layer.query_dimension + layer.key_dimension);
    if (size > kLargest) continue;
    for (int head : {0, layer.heads - 1}) require_shape(layer, checkpoint::read_head(model, layer, head));
  }
}

/// A folder with one model of four heads, whose document under test is written anew each time.
class Folder {
 public:
  Folder() : path_(std::filesystem::temp_directory_path() / "attnlaw-fuzz-XXXXXX") {
    std::string name = path_.string();
    path_ = mkdtemp(name.data());
    const std::string entries =
        R"({"model.layers.0.self_attn.q_proj.weight":{"dtype":"F32","shape":[8,8],"data_offsets":[0,256]},)"
        R"("model.layers.0.self_attn.k_proj.weight":{"dtype":"F32","shape":[4,8],"data_offsets":[256,384]}})";
    const auto length = static_cast<std::uint64_t>(entries.size());
    std::ofstream(path_ / "weights.safetensors", std::ios::binary).write(reinterpret_cast<const char*>(&length), 8)
        << entries << std::string(384, '\0');
  }
  ~Folder() { std::filesystem::remove_all(path_); }

  void open_with(const std::string& name, std::string_view document) const {
    std::ofstream(path_ / name, std::ios::binary) << document;
    const Model model = checkpoint::open_model(path_.string());
    for (const Layer& layer : model.layers) require_shape(layer, checkpoint::read_head(model, layer, layer.heads - 1));
  }

 private:
  std::filesystem::path path_;
};

}  // namespace

void safetensors(std::string_view input) { read_model("fuzz.safetensors", input, 4); }
void gguf(std::string_view input) { read_model("fuzz.gguf", input, 4); }
void onnx(std::string_view input) { read_model("fuzz.onnx", input, 4); }
void npz(std::string_view input) { read_model("fuzz.npz", input, 4); }
void weights_npy(std::string_view input) { read_model("fuzz.npy", input, 0); }

void model_configuration(std::string_view input) {
  static const Folder folder;
  folder.open_with("config.json", input);
}

void shard_index(std::string_view input) {
  static const Folder folder;
  folder.open_with("model.safetensors.index.json", input);
}

}  // namespace attnlaw::fuzz
