#include "attnlaw/view/rows.h"

#include <cmath>

#include "attnlaw/base/fields/rows.h"
#include "attnlaw/view/columns.h"

namespace attnlaw::view {

report::Cell cell_of(const nlohmann::json& value) {
  if (value.is_number_float()) return or_nothing(value.get<double>());
  if (value.is_number()) return value.get<long long>();
  if (value.is_boolean()) return yes_or_no(value.get<bool>());
  return value.is_string() ? report::Cell(value.get<std::string>()) : report::Cell();
}

std::map<std::string, report::Cell> cells_by_name(const base::Description& description,
                                                  const nlohmann::json& document) {
  const std::vector<std::string> names = base::columns(description);
  const std::vector<nlohmann::json> values = base::cells(document, description);
  std::map<std::string, report::Cell> cells;
  for (std::size_t i = 0; i < names.size(); ++i) cells[names[i]] = cell_of(values[i]);
  return cells;
}

void add_row(report::Table& table, const NamedCells& cells, const base::Description& description,
             const nlohmann::json& document) {
  std::map<std::string, report::Cell> found = cells_by_name(description, document);
  for (const auto& [name, cell] : cells) found[name] = cell;
  std::vector<report::Cell>& row = table.rows.emplace_back();
  for (const report::Column& column : table.columns) row.push_back(found[column.name]);
}

report::Table table_of(std::initializer_list<const char*> columns) {
  report::Table table;
  for (const char* name : columns) table.columns.push_back(general(name));
  return table;
}

}  // namespace attnlaw::view
