#include "attnlaw/base/fields/rows.h"

#include <cmath>
#include <nlohmann/json.hpp>

#include "attnlaw/base/fields/text.h"

namespace attnlaw::base {
namespace {

using nlohmann::json;

bool scalar(const Type& type) { return type.kind != Kind::object && type.kind != Kind::list; }

using Visit = std::function<void(const std::string& column, const std::string& place, const json& value)>;

/// A number that does not exist, or is infinite, is null as in documents.
json written(const json& value) {
  return value.is_number_float() && !std::isfinite(value.get<double>()) ? json() : value;
}

/// Visits every column with its cell in the document; for a null document every cell is null.
void for_each_cell(const Description& description, const json& document, const Visit& visit) {
  for_each_field(description, [&](const Field& field) {
    const auto found = document.find(field.name);
    const json value = found == document.end() ? json() : written(*found);
    if (scalar(field.type)) {
      visit(field.name, field.name, value);
    } else if (field.type.kind == Kind::list && scalar(*field.type.item)) {
      visit(field.name, field.name, value.is_null() ? json() : json(shown(value, ";")));
    } else if (field.type.kind == Kind::object && field.type.object) {
      for_each_cell(field.type.object(), value,
                    [&](const std::string& name, const std::string& place, const json& cell) {
                      visit(field.nesting == Nesting::suffixed   ? name + "_" + field.name
                            : field.nesting == Nesting::prefixed ? field.name + "_" + name
                                                                 : name,
                            field.name + "." + place, cell);
                    });
    }
  });
}

}  // namespace

std::vector<std::string> columns(const Description& description) {
  std::vector<std::string> names;
  for_each_cell(description, json(),
                [&](const std::string& name, const std::string&, const json&) { names.push_back(name); });
  return names;
}

std::optional<std::string> place_of(const Description& description, std::string_view column) {
  std::optional<std::string> found;
  for_each_cell(description, json(), [&](const std::string& name, const std::string& place, const json&) {
    if (!found && name == column) found = place;
  });
  return found;
}

std::vector<json> cells(const json& document, const Description& description) {
  std::vector<json> row;
  for_each_cell(description, document,
                [&](const std::string&, const std::string&, const json& value) { row.push_back(value); });
  return row;
}

}  // namespace attnlaw::base
