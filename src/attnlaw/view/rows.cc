#include "attnlaw/view/rows.h"

#include <algorithm>

#include "attnlaw/base/json_text.h"

namespace attnlaw::view {

report::Cell cell_of(const nlohmann::json& value) {
  if (value.is_number_float()) return cell(value.get<double>());
  if (value.is_number()) return cell(value.get<long long>());
  if (value.is_boolean()) return cell(value.get<bool>());
  if (value.is_null()) return {};
  return value.is_string() ? value.get<std::string>() : base::json_text(value);
}

Fields fields_of(const nlohmann::json& document, const base::Description& description) {
  const std::vector<std::string> names = base::columns(description);
  const std::vector<nlohmann::json> values = base::cells(document, description);
  Fields fields;
  for (std::size_t i = 0; i < names.size(); ++i) fields.emplace_back(names[i], cell_of(values[i]));
  return fields;
}

void append(Fields& fields, const Fields& more) { fields.insert(fields.end(), more.begin(), more.end()); }

report::Table table_of(const std::vector<Fields>& rows) {
  std::vector<std::string> columns;
  for (const Fields& row : rows)
    for (const auto& [name, cell] : row)
      if (std::find(columns.begin(), columns.end(), name) == columns.end()) columns.push_back(name);
  report::Table table = records(columns);
  for (const Fields& row : rows) add_row(table, row);
  return table;
}

report::Table records(const std::vector<std::string>& columns) {
  report::Table table;
  for (const std::string& name : columns) table.columns.push_back(general(name));
  return table;
}

void add_row(report::Table& table, const Fields& cells, const Fields& more) {
  std::map<std::string, report::Cell> found(more.begin(), more.end());
  for (const auto& [name, cell] : cells) found[name] = cell;
  Row& row = table.rows.emplace_back();
  for (const report::Column& column : table.columns) row.push_back(found[column.name]);
}

}  // namespace attnlaw::view
