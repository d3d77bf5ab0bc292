#include "attnlaw/base/fields/schema.h"

#include <cmath>
#include <nlohmann/json.hpp>

namespace attnlaw::base {
namespace {

using nlohmann::json;

/// In the order of Kind.
constexpr const char* kKinds[] = {"number", "integer", "flag", "text", "choice", "value", "list", "object"};

json type_of(const Type& type, const json& value) {
  json document{{"type", kKinds[static_cast<std::size_t>(type.kind)]}};
  if (!type.choices.empty()) document["choices"] = type.choices;
  if (type.item) document["item"] = type_of(*type.item, json());
  if (type.object) document.update(schema_of(type.object(), value));
  return document;
}

json range_of(const Range& range) {
  json document = json::object();
  if (std::isfinite(range.least)) document["least"] = range.least;
  if (range.above()) document["most"] = range.most;
  if (range.open) document["open"] = true;
  return document;
}

json field_of(const Field& field, const json& defaults) {
  const About& about = field.about;
  const json value = defaults.contains(field.name) ? defaults[field.name] : json();
  json document = type_of(field.type, value);
  document["name"] = field.name;
  if (!about.doc.empty() || !document.contains("doc")) document["doc"] = about.doc;
  if (!about.symbol.empty()) document["symbol"] = about.symbol;
  if (!about.unit.empty()) document["unit"] = about.unit;
  if (!about.accepts.empty()) document["accepts"] = about.accepts;
  if (about.range.bounded()) document["range"] = range_of(about.range);
  if (about.required) document["required"] = true;
  if (field.present) document["optional"] = true;
  if (about.positional) document["positional"] = true;
  if (!about.otherwise.empty())
    document["otherwise"] = about.otherwise;
  else if (!value.is_null() && !field.type.object && !about.required)
    document["default"] = value;
  return document;
}

}  // namespace

json schema_of(const Description& description, const json& defaults) {
  json fields = json::array();
  for_each_field(description, [&](const Field& field) { fields.push_back(field_of(field, defaults)); });
  return {{"doc", description.doc}, {"fields", fields}};
}

}  // namespace attnlaw::base
