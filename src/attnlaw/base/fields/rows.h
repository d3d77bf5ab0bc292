#pragma once
/// Turns described structs into rows of tables: CSV files, columns of a store.

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "attnlaw/base/fields/description.h"

namespace attnlaw::base {

/// Returns the names of the columns of a struct, in the order of its fields. Every number, flag or word has one, also
/// those of inner structs, named as their Nesting says; a list of numbers or words is one column of text with
/// semicolons; other lists have none. The columns do not depend on which fields are present.
std::vector<std::string> columns(const Description& description);

/// Where the column of this name, the first if there are several, stands in documents: "errors.test". Nothing if there
/// is no such column.
std::optional<std::string> place_of(const Description& description, std::string_view column);

/// The cells of the document of a struct under these columns, null for what is not present and for numbers that are not
/// finite.
std::vector<nlohmann::json> cells(const nlohmann::json& document, const Description& description);

}  // namespace attnlaw::base
