#include "attnlaw/view/rows.h"

#include <algorithm>
#include <cmath>

#include "attnlaw/base/fields/rows.h"

namespace attnlaw::view {

report::Cell cell_of(const nlohmann::json& value) {
  if (value.is_null()) return {};
  if (value.is_boolean()) return std::string(value.get<bool>() ? "true" : "false");
  if (value.is_number_integer()) return value.get<long long>();
  if (value.is_string()) return value.get<std::string>();
  if (!value.is_number()) return value.dump();
  const double number = value.get<double>();
  return std::isnan(number) ? report::Cell() : report::Cell(number);
}

Fields fields_of(const nlohmann::json& document, const base::Description& description) {
  const std::vector<std::string> names = base::columns(description);
  const std::vector<nlohmann::json> values = base::cells(document, description);
  Fields fields;
  for (std::size_t i = 0; i < names.size(); ++i) fields.emplace_back(names[i], cell_of(values[i]));
  return fields;
}

void append(Fields& fields, const Fields& more) { fields.insert(fields.end(), more.begin(), more.end()); }

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
