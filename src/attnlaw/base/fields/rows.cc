#include "attnlaw/base/fields/rows.h"

#include <nlohmann/json.hpp>

#include "attnlaw/base/fields/text.h"

namespace attnlaw::base {
namespace {

using nlohmann::json;

bool scalar(const Type& type) { return type.kind != Kind::object && type.kind != Kind::list; }

using Visit = std::function<void(const std::string& column, const json& value)>;

/// Visits every column with its cell in the document; for a null document every cell is null.
void for_each_cell(const Description& description, const json& document, const Visit& visit) {
  for_each_field(description, [&](const Field& field) {
    const auto found = document.find(field.name);
    const json value = found == document.end() ? json() : *found;
    if (scalar(field.type)) {
      visit(field.name, value);
    } else if (field.type.kind == Kind::list && scalar(*field.type.item)) {
      visit(field.name, value.is_null() ? json() : json(shown(value, ";")));
    } else if (field.type.kind == Kind::object && field.type.object) {
      for_each_cell(field.type.object(), value, [&](const std::string& name, const json& cell) {
        visit(field.nesting == Nesting::suffixed   ? name + "_" + field.name
              : field.nesting == Nesting::prefixed ? field.name + "_" + name
                                                   : name,
              cell);
      });
    }
  });
}

}  // namespace

std::vector<std::string> columns(const Description& description) {
  std::vector<std::string> names;
  for_each_cell(description, json(), [&](const std::string& name, const json&) { names.push_back(name); });
  return names;
}

std::vector<json> cells(const json& document, const Description& description) {
  std::vector<json> row;
  for_each_cell(description, document, [&](const std::string&, const json& value) { row.push_back(value); });
  return row;
}

}  // namespace attnlaw::base
