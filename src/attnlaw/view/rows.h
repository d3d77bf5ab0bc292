#pragma once
/// Rows for programs: what described structs have under the names of their fields.

#include <string>
#include <utility>
#include <vector>

#include "attnlaw/base/fields/fields.h"
#include "attnlaw/report/table.h"

namespace attnlaw::view {

/// Cells of one row under the names of their columns.
using Fields = std::vector<std::pair<std::string, report::Cell>>;

/// A value of a document; null and NaN are empty.
report::Cell cell_of(const nlohmann::json& value);

/// Every column of a document that follows from a description, also of fields that it leaves out.
Fields fields_of(const nlohmann::json& document, const base::Description& description);
template <base::Described S>
Fields fields_of(const S& object) {
  return fields_of(base::json_of(object), describe(&object));
}

void append(Fields& fields, const Fields& more);

/// These rows as a table. Its columns are those given, then what rows name beside them, in their order; what a row
/// does not name is empty.
report::Table table_of(const std::vector<Fields>& rows, std::vector<std::string> columns = {});

}  // namespace attnlaw::view
