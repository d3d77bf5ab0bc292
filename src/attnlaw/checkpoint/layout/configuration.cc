#include "attnlaw/checkpoint/layout/configuration.h"

#include <cmath>
#include <nlohmann/json.hpp>

#include "attnlaw/base/numbers.h"
#include "attnlaw/checkpoint/file/json_file.h"
#include "attnlaw/checkpoint/tensor/refuse.h"

namespace attnlaw::checkpoint {
namespace {

using nlohmann::json;

/// More heads, and longer ones, than any model has.
constexpr std::int64_t kMost = 1 << 20;
constexpr std::size_t kLargestConfiguration = std::size_t(1) << 24;

/// GGUF's keys, behind the name of the architecture, and those of config.json.
constexpr std::pair<const char*, const char*> kGgufKeys[] = {{"attention.head_count", "num_attention_heads"},
                                                             {"attention.head_count_kv", "num_key_value_heads"},
                                                             {"attention.key_length", "head_dim"},
                                                             {"embedding_length", "hidden_size"},
                                                             {"rope.freq_base", "rope_theta"},
                                                             {"rope.dimension_count", "rotary_dim"},
                                                             {"rope.scaling.type", "rope_scaling_type"},
                                                             {"attn_logit_softcapping", "attn_logit_softcapping"},
                                                             {"attention.scale", "attention_scale"}};

json from_gguf(const json& metadata) {
  json document = json::object();
  const auto architecture = metadata.find("general.architecture");
  if (architecture == metadata.end() || !architecture->is_string()) return document;
  document["model_type"] = *architecture;
  for (const auto& [gguf, ours] : kGgufKeys) {
    const auto value = metadata.find(architecture->get<std::string>() + "." + gguf);
    if (value != metadata.end() && !value->is_null()) document[ours] = *value;
  }
  return document;
}

/// Metadata of safetensors are texts; numbers in them are taken as such.
json from_texts(const json& metadata) {
  constexpr std::pair<const char*, const char*> kKeys[] = {
      {"num_heads", "num_attention_heads"}, {"num_kv_heads", "num_key_value_heads"}, {"head_dim", "head_dim"}};
  json document = json::object();
  for (const auto& [theirs, ours] : kKeys) {
    const auto value = metadata.find(theirs);
    if (value == metadata.end()) continue;
    if (const auto number = base::number_in<int>(value->get<std::string>())) document[ours] = *number;
  }
  return document;
}

}  // namespace

Configuration::Configuration(std::string source, json document)
    : source_(std::move(source)), document_(std::make_shared<const json>(std::move(document))) {}

const json* Configuration::find(const char* key) const {
  const json* at = document_.get();
  for (std::string_view part : base::split(key, '.')) {
    if (!at->is_object()) return nullptr;
    const auto found = at->find(std::string(part));
    if (found == at->end() || found->is_null()) return nullptr;
    at = &*found;
  }
  return at;
}

std::optional<int> Configuration::whole(std::initializer_list<const char*> keys, int layer) const {
  for (const char* key : keys) {
    const json* value = find(key);
    if (value == nullptr) continue;
    if (value->is_array()) {
      if (value->size() <= static_cast<std::size_t>(layer)) refuse(source_, "{} has no value for layer {}", key, layer);
      value = &(*value)[static_cast<std::size_t>(layer)];
    }
    const bool fits =
        value->is_number_integer() && value->get<std::int64_t>() >= 1 && value->get<std::int64_t>() <= kMost;
    if (!fits) refuse(source_, "{} must be a whole number from 1 to {}", key, kMost);
    return value->get<int>();
  }
  return std::nullopt;
}

std::string Configuration::model() const {
  std::string name = text("model_type").value_or("");
  if (name == "falcon" || name == "RefinedWeb" || name == "RefinedWebModel") {
    if (flag("new_decoder_architecture").value_or(name == "RefinedWeb")) return name + ":groups";
    if (flag("multi_query").value_or(true)) return name + ":multi_query";
  }
  return name;
}

std::optional<int> Configuration::heads(std::string_view prefix, int layer) const {
  if (prefix.find("encoder.") != std::string_view::npos)
    if (const auto heads = whole({"encoder_attention_heads"}, layer)) return heads;
  if (prefix.find("decoder.") != std::string_view::npos)
    if (const auto heads = whole({"decoder_attention_heads"}, layer)) return heads;
  return whole({"num_attention_heads", "n_head", "n_heads", "num_heads"}, layer);
}

std::optional<int> Configuration::key_heads(int layer) const {
  const std::string name = model();
  if (name.ends_with(":multi_query")) return 1;
  if (name == "gpt_bigcode" && flag("multi_query").value_or(true)) return 1;
  return whole({"num_key_value_heads", "num_kv_heads", "n_head_kv", "multi_query_group_num", "attn_config.kv_n_heads"},
               layer);
}

std::optional<int> Configuration::head_dimension(int layer) const {
  return whole({"head_dim", "d_kv", "kv_channels"}, layer);
}

std::optional<double> Configuration::number(std::initializer_list<const char*> keys) const {
  for (const char* key : keys) {
    const json* value = find(key);
    if (value == nullptr) continue;
    if (!value->is_number() || !std::isfinite(value->get<double>())) refuse(source_, "{} must be a number", key);
    return value->get<double>();
  }
  return std::nullopt;
}

std::optional<bool> Configuration::flag(const char* key) const {
  const json* value = find(key);
  if (value == nullptr) return std::nullopt;
  if (!value->is_boolean()) refuse(source_, "{} must be true or false", key);
  return value->get<bool>();
}

std::optional<std::string> Configuration::text(const char* key) const {
  const json* value = find(key);
  if (value == nullptr) return std::nullopt;
  if (!value->is_string()) refuse(source_, "{} must be a text", key);
  return value->get<std::string>();
}

Configuration Configuration::part(std::string_view prefix) const {
  const bool vision =
      prefix.find("vision") != std::string_view::npos || prefix.find("visual") != std::string_view::npos;
  const bool whole_model = !vision && whole({"num_attention_heads", "n_head"}, 0).has_value();
  const json* document = whole_model ? nullptr : find(vision ? "vision_config" : "text_config");
  if (document == nullptr || !document->is_object()) return *this;
  return {source_ + (vision ? ": vision_config" : ": text_config"), *document};
}

Configuration configuration_of(const Contents& contents, const std::string& config) {
  // GGUF has all that is needed; a config.json beside it may belong to another file of the folder.
  if (!config.empty() && contents.format != "GGUF") return {config, read_json_object(config, kLargestConfiguration)};
  const std::string source = printable_path(contents.path) + ": metadata";
  return {source, contents.format == "GGUF" ? from_gguf(*contents.metadata) : from_texts(*contents.metadata)};
}

}  // namespace attnlaw::checkpoint
