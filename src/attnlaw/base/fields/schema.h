#pragma once
/// Writes descriptions as a document, from which manual pages, types of other languages and forms are made.

#include <nlohmann/json_fwd.hpp>

#include "attnlaw/base/fields/description.h"

namespace attnlaw::base {

/// {"doc": …, "fields": [{"name", "type", "doc", and where they are there "symbol", "unit", "range" {"least", "most",
/// "open"}, "choices", "accepts", "required", "optional" (there are documents without it), "default", "positional",
/// "item", "fields" of an object}]}. `defaults`: the document of a default struct, objects inside included; null if
/// nobody fills one in.
nlohmann::json schema_of(const Description& description, const nlohmann::json& defaults);

}  // namespace attnlaw::base
