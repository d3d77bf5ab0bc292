#pragma once
/// Rows of tables for programs have cells under the names of the fields of described structs.

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "attnlaw/base/fields/fields.h"
#include "attnlaw/base/fields/rows.h"
#include "attnlaw/report/table.h"
#include "attnlaw/view/columns.h"

namespace attnlaw::view {

/// The cells of one row stand under the names of their columns.
using Fields = std::vector<std::pair<std::string, Value>>;

/// Makes a cell of a value of a document; null and NaN are empty.
report::Cell cell_of(const nlohmann::json& value);

/// Returns every column of a document that follows from a description, also of fields that it leaves out.
Fields fields_of(const nlohmann::json& document, const base::Description& description);
template <base::Described S>
Fields fields_of(const S& object) {
  return fields_of(base::json_of(object), describe(&object));
}

/// Returns the cells of a struct, one for each of its columns.
template <base::Described S>
Row cells(const S& object) {
  Row row;
  for (const auto& [name, value] : fields_of(object)) row.push_back(value);
  return row;
}

/// Returns the fields of a struct by name.
template <base::Described S>
std::map<std::string, report::Cell> cells_by_name(const S& object) {
  const Fields fields = fields_of(object);
  return {fields.begin(), fields.end()};
}

void append(Fields& fields, const Fields& more);

/// Makes a table of all these rows. Its columns are what rows name, in their order; what a row does not name is empty.
report::Table table_of(const std::vector<Fields>& rows);

/// Makes a table of these columns for programs, without rows yet.
report::Table records(const std::vector<std::string>& columns);
/// Puts the columns of a struct between these.
template <base::Described S>
report::Table records(std::vector<std::string> before, const std::vector<std::string>& after) {
  for (const auto& more : {base::columns(base::detail::description_of<S>()), after})
    before.insert(before.end(), more.begin(), more.end());
  return records(before);
}

/// Adds a row: the named cells, and under the other names of columns those of `more`, the fields of a struct. Fields
/// without a column are left out.
void add_row(report::Table& table, const Fields& cells, const Fields& more = {});
template <base::Described S>
void add_row(report::Table& table, const Fields& cells, const S& object) {
  add_row(table, cells, fields_of(object));
}

}  // namespace attnlaw::view
