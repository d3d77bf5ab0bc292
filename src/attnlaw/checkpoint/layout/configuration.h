#pragma once
/// What a model says about itself beside its weights: config.json, the metadata of GGUF, those of safetensors.

#include <initializer_list>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "attnlaw/checkpoint/file/contents.h"

namespace attnlaw::checkpoint {

/// A configuration with the keys of Hugging Face's config.json, whatever its source. Values of the wrong kind throw
/// base::FileError, which names the source and the key.
class Configuration {
 public:
  /// `source` names it in messages.
  Configuration(std::string source, nlohmann::json document);

  const std::string& source() const { return source_; }
  /// model_type; with ":groups" or ":multi_query" for Falcon's variants. Empty without.
  std::string model() const;

  /// Whole numbers from 1; arrays have one for each layer. Nothing if the key is absent.
  std::optional<int> heads(std::string_view prefix, int layer) const;
  std::optional<int> key_heads(int layer) const;
  std::optional<int> head_dimension(int layer) const;

  std::optional<double> number(std::initializer_list<const char*> keys) const;
  std::optional<bool> flag(const char* key) const;
  std::optional<std::string> text(const char* key) const;
  /// Returns the part of a model of several parts (text_config, vision_config) that the prefix of a tensor belongs to.
  Configuration part(std::string_view prefix) const;

 private:
  std::optional<int> whole(std::initializer_list<const char*> keys, int layer) const;
  /// A key "a.b" is looked up in the object a.
  const nlohmann::json* find(const char* key) const;

  std::string source_;
  std::shared_ptr<const nlohmann::json> document_;
};

/// Returns the configuration of what was read: the metadata of a GGUF file, else `config` (a path; empty: none), else
/// the metadata of the file.
Configuration configuration_of(const Contents& contents, const std::string& config);

}  // namespace attnlaw::checkpoint
