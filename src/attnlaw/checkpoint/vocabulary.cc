#include <filesystem>
#include <nlohmann/json.hpp>

#include "attnlaw/base/file.h"
#include "attnlaw/base/numbers.h"
#include "attnlaw/checkpoint/file/json_file.h"
#include "attnlaw/checkpoint/head.h"
#include "attnlaw/checkpoint/tensor/refuse.h"
#include "attnlaw/checkpoint/weights.h"

namespace attnlaw::checkpoint {
namespace {

using Eigen::Index;
using nlohmann::json;

/// More tokens than any vocabulary has, and a larger file than any tokenizer.json.
constexpr std::size_t kMostTokens = std::size_t(1) << 22, kLargestTokenizer = std::size_t(1) << 28;

const Tensor* vocabulary_of(const Contents& contents, Index dimension) {
  for (std::string_view end : {"embed_tokens.weight", "wte.weight", "word_embeddings.weight", "tok_embeddings.weight",
                               "token_embd.weight", "embed_in.weight", "shared.weight", "token_embedding.weight"})
    for (const Tensor& tensor : contents.tensors())
      if (tensor.known_as().ends_with(end) && tensor.shape.size() == 2 && tensor.columns() == dimension &&
          tensor.type != nullptr && tensor.type->decode != nullptr)
        return &tensor;
  return nullptr;
}

void place(std::vector<std::string>& tokens, const std::string& token, const json& id) {
  if (!id.is_number_unsigned() || id.get<std::size_t>() >= kMostTokens) return;
  const auto i = id.get<std::size_t>();
  if (tokens.size() <= i) tokens.resize(i + 1);
  tokens[i] = token;
}

/// The vocabulary of tokenizer.json: an object of token → id, or a list of [token, score].
void place_vocabulary(std::vector<std::string>& tokens, const json& model) {
  const auto vocabulary = model.is_object() ? model.find("vocab") : model.end();
  if (vocabulary == model.end()) return;
  if (vocabulary->is_object())
    for (const auto& [token, id] : vocabulary->items()) place(tokens, token, id);
  if (!vocabulary->is_array()) return;
  std::size_t i = 0;
  for (const json& entry : *vocabulary) {
    if (entry.is_array() && !entry.empty() && entry[0].is_string()) place(tokens, entry[0].get<std::string>(), i);
    ++i;
  }
}

std::vector<std::string> tokens_of_json(const std::string& path) {
  std::vector<std::string> tokens;
  visit_members(path, base::read_text(path), 0, [&](const std::string& key, const json& value) {
    if (key == "model") place_vocabulary(tokens, value);
    if (key != "added_tokens" || !value.is_array()) return;
    for (const json& token : value)
      if (token.is_object() && token.contains("id") && token.contains("content") && token["content"].is_string())
        place(tokens, token["content"].get<std::string>(), token["id"]);
  });
  return tokens;
}

std::vector<std::string> lines_of(const std::string& path) {
  const std::string text = base::read_text(path);
  std::vector<std::string> lines;
  for (std::string_view line : base::split(text, '\n')) lines.emplace_back(line.substr(0, line.find('\r')));
  if (!lines.empty() && lines.back().empty()) lines.pop_back();
  return lines;
}

bool readable(const std::filesystem::path& path) {
  std::error_code error;
  return std::filesystem::is_regular_file(path, error) && std::filesystem::file_size(path, error) <= kLargestTokenizer;
}

}  // namespace

Index visit_vocabulary(const Model& model, const std::function<void(Index first, const Eigen::MatrixXd& rows)>& visit) {
  const Tensor* tensor = vocabulary_of(model.weights->contents, model.embedding_dimension);
  if (tensor == nullptr) return 0;
  constexpr Index kRows = 1024;
  for (Index first = 0; first < tensor->rows(); first += kRows) {
    visit(first, decode(*tensor, {first, std::min(kRows, tensor->rows() - first), 0, tensor->columns()}));
    if (tensor->unpacked == nullptr) tensor->file->release(tensor->bytes);
  }
  return tensor->rows();
}

std::vector<std::string> read_tokens(const Model& model) {
  if (!model.weights->contents.tokens.empty()) return model.weights->contents.tokens;
  const std::filesystem::path folder = std::filesystem::path(model.file).parent_path();
  if (readable(folder / "tokenizer.json")) return tokens_of_json((folder / "tokenizer.json").string());
  if (readable(folder / "vocab.txt")) return lines_of((folder / "vocab.txt").string());
  return {};
}

}  // namespace attnlaw::checkpoint
