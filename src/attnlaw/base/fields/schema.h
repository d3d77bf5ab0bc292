#pragma once
/// Writes descriptions as a document, from which manual pages, types of other languages and forms are made.

#include <nlohmann/json_fwd.hpp>

#include "attnlaw/base/fields/description.h"

namespace attnlaw::base {

/// Returns {"doc": …, "fields": [{"name", "type", "doc", and where they exist "symbol", "unit", "range" {"least",
/// "most", "open"}, "choices", "accepts", "required", "default", "positional", "item", "fields" of an object}]}.
/// `defaults` is the document of a default struct, or null for a struct that users do not fill in.
nlohmann::json schema_of(const Description& description, const nlohmann::json& defaults);

}  // namespace attnlaw::base
