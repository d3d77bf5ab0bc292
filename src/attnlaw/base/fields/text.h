#pragma once
/// Reads described options from a command line, and writes their help.

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "attnlaw/base/fields/description.h"

namespace attnlaw::base {

/// Returns "--target-beta", or the bare name of a positional field.
std::string option_name(const Field& field);

/// Returns the word for the value of an option in the help: "X", "N", "N[,N...]", "softmax|linear", "FILE"; empty for a
/// flag.
std::string value_name(const Field& field);

/// Returns the value that a text on the command line means for a field. Numbers may begin with a plus; lists are
/// separated by commas. Throws std::invalid_argument: "--alpha takes a number, got 'x'".
nlohmann::json from_text(const Field& field, const std::string& text);

/// Returns what the help says of a field: what it is, then its default or that it is required. `defaults` is the
/// document of a default struct.
std::string help(const Field& field, const nlohmann::json& defaults);

/// Returns the default in words; nothing for a flag, an empty value or a field without default.
std::optional<std::string> default_text(const Field& field, const nlohmann::json& defaults);

/// Writes a value of a document for readers: numbers with all digits, words as they are, lists with `separator` in
/// between.
std::string shown(const nlohmann::json& value, std::string_view separator = ",");

/// Returns the text as one word of a shell, in quotes where it needs them.
std::string shell_word(const std::string& text);

/// Returns the number that takes up the whole text, which may begin with a plus. Throws std::invalid_argument: "N takes
/// a whole number, got 'x'".
double number_from_text(std::string_view what, std::string_view text);
int integer_from_text(std::string_view what, std::string_view text);

}  // namespace attnlaw::base
