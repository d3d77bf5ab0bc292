#pragma once
/// Descriptions as a document: what the pages of the manual, the types of other languages and forms are made of.

#include <nlohmann/json_fwd.hpp>

#include "attnlaw/base/fields/description.h"

namespace attnlaw::base {

/// {"doc": …, "fields": [{"name", "type", "doc", and where they are there "symbol", "unit", "range" {"least", "most",
/// "open"}, "choices", "accepts", "required", "default", "positional", "item", "fields" of an object}]}. `defaults`:
/// the document of a default struct, objects inside included; null if nobody fills one in.
nlohmann::json schema_of(const Description& description, const nlohmann::json& defaults);

}  // namespace attnlaw::base
