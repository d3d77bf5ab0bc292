#include "attnlaw/base/fields/description.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <set>

#include "attnlaw/base/edit_distance.h"
#include "attnlaw/base/names.h"
#include "attnlaw/base/reject.h"

namespace attnlaw::base {
namespace {

std::string accepted(const Type& type, const Range& range) {
  const auto bounded = [&](const char* what) {
    std::string text = what;
    if (std::isfinite(range.least)) text += fmt::format(" {} {}", range.open ? ">" : ">=", range.least);
    if (range.above()) text += fmt::format("{} at most {}", std::isfinite(range.least) ? "," : "", range.most);
    return text;
  };
  switch (type.kind) {
    case Kind::number:
      return bounded("a number");
    case Kind::integer:
      return bounded("an integer");
    case Kind::flag:
      return "true or false";
    case Kind::choice:
      return alternatives(type.choices);
    case Kind::list:
      return "a list of " + (type.item->kind == Kind::text ? std::string("names") : accepted(*type.item, range));
    case Kind::object:
      return "an object";
    case Kind::text:
    case Kind::value:
      break;
  }
  return "a text";
}

void visit_new(const Description& description, std::set<std::string>& seen,
               const std::function<void(const Field&)>& visit) {
  for (const Field& field : description.fields) {
    if (field.nesting == Nesting::flat)
      visit_new(field.type.object(), seen, visit);
    else if (seen.insert(field.name).second)
      visit(field);
  }
}

}  // namespace

MissingField::MissingField(std::string name, std::string accepts)
    : std::invalid_argument(fmt::format("{} is required: {}", name, accepts)),
      field(std::move(name)),
      accepted(std::move(accepts)) {}

void for_each_field(const Description& description, const std::function<void(const Field&)>& visit) {
  std::set<std::string> seen;
  visit_new(description, seen, visit);
}

void for_each_field(const Description& description, void* object,
                    const std::function<void(const Field&, void*)>& visit) {
  for (const Field& field : description.fields) {
    if (field.nesting != Nesting::flat)
      visit(field, object);
    else if (field.in(object))
      for_each_field(field.type.object(), field.part(object), visit);
  }
}

const Field* find_field(const Description& description, std::string_view name) {
  const Field* found = nullptr;
  for_each_field(description, [&](const Field& field) {
    if (field.name == name) found = &field;
  });
  return found;
}

std::vector<std::string> field_names(const Description& description) {
  std::vector<std::string> names;
  for_each_field(description, [&](const Field& field) { names.push_back(field.name); });
  return names;
}

std::string accepted(const Field& field) {
  return field.about.accepts.empty() ? accepted(field.type, field.about.range) : std::string(field.about.accepts);
}

void require_in(const Range& range, std::string_view name, double value, bool integer) {
  if (!range.bounded()) return;
  const char* what = integer ? "an integer" : "a finite number";
  const bool low = range.open ? !(value > range.least) : !(value >= range.least);
  if (low || !std::isfinite(value)) {
    if (std::isfinite(range.least))
      reject("{} must be {} {} {}, got {}", name, what, range.open ? ">" : ">=", range.least, value);
    reject("{} must be {}, got {}", name, what, value);
  }
  if (value > range.most) reject("{} must be at most {}, got {}", name, range.most, value);
}

void require_in_ranges(const Description& description, const void* object) {
  for_each_field(description, const_cast<void*>(object), [](const Field& field, const void* at) {
    if (field.in(at) && field.about.range.bounded() &&
        (field.type.kind == Kind::number || field.type.kind == Kind::integer))
      require_in(field.about.range, field.name, field.get(at).get<double>(), field.type.kind == Kind::integer);
  });
}

void require_among(std::string_view word, const std::vector<std::string>& accepted, std::string_view complaint) {
  if (std::find(accepted.begin(), accepted.end(), word) == accepted.end())
    reject("{}; accepted: {}{}", complaint, fmt::join(accepted, ", "), suggestion(word, accepted));
}

void require_known(std::string_view key, const std::vector<std::string>& accepted, std::string_view what) {
  require_among(key, accepted, fmt::format("unknown key '{}' in {}", key, what));
}

std::string suggestion(std::string_view word, const std::vector<std::string>& accepted) {
  // Two letters exchanged count as two edits. A word of up to four letters is allowed one: after two, any short word
  // would be like any other.
  const std::size_t most = word.size() > 4 ? 2 : 1;
  for (std::size_t distance = 1; distance <= most; ++distance)
    for (const std::string& candidate : accepted)
      if (edit_distance(word, candidate) == distance) return fmt::format("; did you mean '{}'?", candidate);
  // Two letters exchanged are one slip, also in a short word.
  for (const std::string& candidate : accepted)
    if (edit_distance(word, candidate) == 2 &&
        std::is_permutation(word.begin(), word.end(), candidate.begin(), candidate.end()))
      return fmt::format("; did you mean '{}'?", candidate);
  return "";
}

}  // namespace attnlaw::base
