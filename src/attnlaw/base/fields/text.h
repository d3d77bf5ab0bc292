#pragma once
/// Described options on a command line: texts as values, and what a help says.

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "attnlaw/base/fields/description.h"

namespace attnlaw::base {

/// "--target-beta", or the bare name of a positional field.
std::string option_name(const Field& field);

/// What stands for the value of an option: "X", "N", "N[,N...]", "softmax|linear", "FILE"; nothing for a flag.
std::string value_name(const Field& field);

/// What a text on the command line means for a field. Numbers may begin with a plus; lists are separated by commas.
/// Throws std::invalid_argument: "--alpha takes a number, got 'x'".
nlohmann::json from_text(const Field& field, const std::string& text);

/// Sentence of the help: what the field is, then its default or that it is required. `defaults`: the document of a
/// default struct.
std::string help(const Field& field, const nlohmann::json& defaults);

/// The default in words; nothing if there is none worth a word.
std::optional<std::string> default_text(const Field& field, const nlohmann::json& defaults);

/// A value of a document for readers: numbers with all digits, words as they are, lists with `separator` in between.
std::string shown(const nlohmann::json& value, std::string_view separator = ",");

/// The number that takes up a whole text, after a plus sign or not. Throws std::invalid_argument: "N takes a whole
/// number, got 'x'".
double number_from_text(std::string_view what, std::string_view text);
int integer_from_text(std::string_view what, std::string_view text);

}  // namespace attnlaw::base
