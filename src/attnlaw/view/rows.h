#pragma once
/// Rows of tables for programs: cells under the names of the fields of described structs.

#include <initializer_list>
#include <map>
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

/// The fields of a struct by name.
template <base::Described S>
std::map<std::string, report::Cell> cells_by_name(const S& object) {
  const Fields fields = fields_of(object);
  return {fields.begin(), fields.end()};
}

void append(Fields& fields, const Fields& more);

/// These rows as a table. Its columns are those given, then what rows name beside them, in their order; what a row
/// does not name is empty.
report::Table table_of(const std::vector<Fields>& rows, std::vector<std::string> columns = {});

/// Adds a row: the named cells, and under the other names of columns those of `more`, the fields of a struct. Fields
/// without a column are left out.
void add_row(report::Table& table, const Fields& cells, const Fields& more);
template <base::Described S>
void add_row(report::Table& table, const Fields& cells, const S& object) {
  add_row(table, cells, fields_of(object));
}

/// A table of these columns, without rows.
report::Table table_of(std::initializer_list<const char*> columns);

}  // namespace attnlaw::view
