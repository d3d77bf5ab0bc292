#pragma once
/// Rows of tables for programs: cells under the names of the fields of described structs.

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "attnlaw/base/fields/fields.h"
#include "attnlaw/report/table.h"

namespace attnlaw::view {

/// What a value of a document is in a table: null and NaN are empty.
report::Cell cell_of(const nlohmann::json& value);

using NamedCells = std::vector<std::pair<std::string, report::Cell>>;

/// Adds a row: the named cells, and under the other names of columns the fields that a document has (see
/// base::columns). Fields without a column are left out.
void add_row(report::Table& table, const NamedCells& cells, const base::Description& description,
             const nlohmann::json& document);

template <base::Described S>
void add_row(report::Table& table, const NamedCells& cells, const S& object) {
  add_row(table, cells, describe(&object), base::json_of(object));
}

/// The fields of a described struct by name, as add_row takes them.
std::map<std::string, report::Cell> cells_by_name(const base::Description& description, const nlohmann::json& document);
template <base::Described S>
std::map<std::string, report::Cell> cells_by_name(const S& object) {
  return cells_by_name(describe(&object), base::json_of(object));
}

/// A table of these columns, without rows.
report::Table table_of(std::initializer_list<const char*> columns);

}  // namespace attnlaw::view
