#include "attnlaw/view/rows.h"

#include <algorithm>
#include <cmath>

#include "attnlaw/base/fields/rows.h"
#include "attnlaw/view/columns.h"

namespace attnlaw::view {

report::Cell cell_of(const nlohmann::json& value) {
  if (value.is_number_float()) return or_nothing(value.get<double>());
  if (value.is_number()) return value.get<long long>();
  if (value.is_boolean()) return yes_or_no(value.get<bool>());
  if (value.is_null()) return {};
  return value.is_string() ? value.get<std::string>() : value.dump();
}

Fields fields_of(const nlohmann::json& document, const base::Description& description) {
  const std::vector<std::string> names = base::columns(description);
  const std::vector<nlohmann::json> values = base::cells(document, description);
  Fields fields;
  for (std::size_t i = 0; i < names.size(); ++i) fields.emplace_back(names[i], cell_of(values[i]));
  return fields;
}

void append(Fields& fields, const Fields& more) { fields.insert(fields.end(), more.begin(), more.end()); }

void add_row(report::Table& table, const Fields& cells, const Fields& more) {
  std::map<std::string, report::Cell> found(more.begin(), more.end());
  for (const auto& [name, cell] : cells) found[name] = cell;
  std::vector<report::Cell>& row = table.rows.emplace_back();
  for (const report::Column& column : table.columns) row.push_back(found[column.name]);
}

report::Table table_of(std::initializer_list<const char*> columns) {
  report::Table table;
  for (const char* name : columns) table.columns.push_back(general(name));
  return table;
}

report::Table table_of(const std::vector<Fields>& rows, std::vector<std::string> columns) {
  const auto place = [&](const std::string& name) {
    return static_cast<std::size_t>(std::find(columns.begin(), columns.end(), name) - columns.begin());
  };
  for (const Fields& row : rows)
    for (const auto& [name, cell] : row)
      if (place(name) == columns.size()) columns.push_back(name);
  report::Table table;
  for (const std::string& name : columns) table.columns.push_back({name});
  for (const Fields& row : rows) {
    std::vector<report::Cell> cells(columns.size());
    for (const auto& [name, cell] : row) cells[place(name)] = cell;
    table.rows.push_back(std::move(cells));
  }
  return table;
}

}  // namespace attnlaw::view
