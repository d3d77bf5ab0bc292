#pragma once
/// Described structs as rows of tables: CSV, columns of a store.

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "attnlaw/base/fields/description.h"

namespace attnlaw::base {

/// The columns of a struct, in the order of its fields: every number, flag or word, those of structs inside by their
/// own names (see Nesting); lists of numbers and words are one text with semicolons. Left out are lists of anything
/// else. They do not depend on which fields are present.
std::vector<std::string> columns(const Description& description);

/// Where the column of this name, the first if there are several, stands in documents: "errors.test". Nothing if there
/// is no such column.
std::optional<std::string> place_of(const Description& description, std::string_view column);

/// The cells of the document of a struct under these columns, null for what is not present and for numbers that are not
/// finite.
std::vector<nlohmann::json> cells(const nlohmann::json& document, const Description& description);

}  // namespace attnlaw::base
