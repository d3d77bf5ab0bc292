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

/// Queries and keys of four heads with two key heads.
constexpr std::string_view kModel =
    R"({"model.layers.0.self_attn.q_proj.weight":{"dtype":"F32","shape":[8,8],"data_offsets":[0,256]},)"
    R"("model.layers.0.self_attn.k_proj.weight":{"dtype":"F32","shape":[4,8],"data_offsets":[256,384]}})";
/// An adapter of rank one on both.
constexpr std::string_view kAdapter =
    R"({"a.q_proj.lora_A.weight":{"dtype":"F32","shape":[1,8],"data_offsets":[0,32]},)"
    R"("a.q_proj.lora_B.weight":{"dtype":"F32","shape":[8,1],"data_offsets":[32,64]},)"
    R"("a.k_proj.lora_A.weight":{"dtype":"F32","shape":[1,8],"data_offsets":[64,96]},)"
    R"("a.k_proj.lora_B.weight":{"dtype":"F32","shape":[4,1],"data_offsets":[96,112]}})";

/// A folder with one model of four heads, whose document under test is written anew each time.
class Folder {
 public:
  Folder(const std::string& file, std::string_view entries, std::size_t bytes)
      : path_(std::filesystem::temp_directory_path() / "attnlaw-fuzz-XXXXXX") {
    std::string name = path_.string();
    path_ = mkdtemp(name.data());
    const auto length = static_cast<std::uint64_t>(entries.size());
    std::ofstream(path_ / file, std::ios::binary).write(reinterpret_cast<const char*>(&length), 8)
        << entries << std::string(bytes, '\0');
  }
  ~Folder() { std::filesystem::remove_all(path_); }

  Model open_with(const std::string& name, std::string_view document,
                  const checkpoint::OpenOptions& options = {}) const {
    std::ofstream(path_ / name, std::ios::binary) << document;
    Model model = checkpoint::open_model(path_.string(), options);
    for (const Layer& layer : model.layers) require_shape(layer, checkpoint::read_head(model, layer, layer.heads - 1));
    return model;
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
  static const Folder folder("weights.safetensors", kModel, 384);
  folder.open_with("config.json", input);
}

void shard_index(std::string_view input) {
  static const Folder folder("weights.safetensors", kModel, 384);
  folder.open_with("model.safetensors.index.json", input);
}

void tokenizer(std::string_view input) {
  static const Folder folder("weights.safetensors", kModel, 384);
  const Model model = folder.open_with("tokenizer.json", input, {.heads = 4});
  // An entry of the vocabulary takes more than one byte, and so numbers beyond them name nothing.
  std::size_t named = 0;
  for (const std::string& token : checkpoint::read_tokens(model)) named += !token.empty();
  if (named > input.size()) throw FaultFound{"more tokens than the file can name"};
}

void adapter_configuration(std::string_view input) {
  static const Folder folder("adapter_model.safetensors", kAdapter, 112);
  const Model model = folder.open_with("adapter_config.json", input, {.heads = 4});
  if (!model.adapter_alone) throw FaultFound{"an adapter is taken for a model"};
}

}  // namespace attnlaw::fuzz
