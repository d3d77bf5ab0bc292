#pragma once
/// Turns described structs into JSON documents, and back.

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "attnlaw/base/fields/description.h"

namespace attnlaw::base {

/// Returns an object with every field that is present, by name.
nlohmann::json to_json(const Description& description, const void* object);

/// Sets every field that the document has; the others keep their values. Names are read with underscores or dashes.
/// Throws std::invalid_argument for a document that is no object, for an unknown name with the nearest known one, for a
/// value of the wrong type or out of range, and MissingField for a required one that is not there. `what` names the
/// document in messages.
void from_json(const nlohmann::json& document, const Description& description, void* object, const std::string& what);

/// Takes one of the values of such a document. Throws what from_json throws.
void read_entry(const std::string& name, const nlohmann::json& value, const Description& description, void* object,
                const std::string& what);

/// The same document under names with underscores. Throws std::invalid_argument for what is no object, and for a name
/// that is there in both spellings. `what` names the document.
nlohmann::json in_snake_case(const nlohmann::json& document, const std::string& what);

/// The document of a text, with escaped bytes (base/json_text.h) as they were. Throws std::invalid_argument for text
/// that is not JSON or is nested absurdly deep, and for a name that an object has twice.
nlohmann::json parse_json(const std::string& text);

// What fields.h reads values with: each throws std::invalid_argument that names the field and the value.
double read_number(const nlohmann::json& value, const std::string& field);
void require_integer(const nlohmann::json& value, const std::string& field, double least, double largest);
bool read_flag(const nlohmann::json& value, const std::string& field);
std::string read_text(const nlohmann::json& value, const std::string& field);
/// Throws unless the number, or every number of a list, lies in the range; anything else passes.
void require_all_in(const Range& range, const std::string& field, const nlohmann::json& value, bool integer);

}  // namespace attnlaw::base
