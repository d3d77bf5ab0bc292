#pragma once
/// Grids of one variable as options: FROM,TO,N, or values that may be many.

#include <algorithm>
#include <string>
#include <vector>

#include "attnlaw/base/fields/fields.h"
#include "attnlaw/base/json_text.h"
#include "attnlaw/study/grid.h"

namespace attnlaw::operations {

/// FROM,TO,N as a grid. Throws std::invalid_argument that names the option for any other text, and for fewer points
/// than `least`.
std::vector<double> grid_from_text(const std::string& option, const std::string& text, study::Spacing spacing,
                                   int least = 2);

/// A field for the values of a grid; it has none unless it is given.
template <class S>
base::FieldOf<S> grid(std::string_view name, std::vector<double> S::*values, study::Spacing spacing, base::About about,
                      int least = 2) {
  about.value_name = "FROM,TO,N";
  const auto read = [values, name = std::string(name), spacing, least, range = about.range](
                        S& object, const nlohmann::json& value) {
    object.*values = grid_from_text("--" + base::dashed(name), base::read_text(value, name), spacing, least);
    for (const double point : object.*values) base::require_in(range, name, point);
  };
  return base::custom<S>(
      name, {base::Kind::text}, [](const S&) { return nlohmann::json(); }, read, about);
}

/// The items of a value that may be many: a number or word, a list, or text in which X,Y,… lists and FROM:TO:N[:log]
/// spans. Throws std::invalid_argument that names the option for a span that is none.
std::vector<nlohmann::json> items_of(const std::string& option, const nlohmann::json& value);

/// Leaves out values that were given before: two points would be the same.
template <class Value>
void keep_distinct(std::vector<Value>& values) {
  auto end = values.begin();
  for (auto& value : values)
    if (std::find(values.begin(), end, value) == end) *end++ = value;
  values.erase(end, values.end());
}

/// The type of a field whose value may be many, each of them a number, a word or a span.
base::Type many();

/// A field for one number or many; infinite ones are among them, as `inf`. Whoever uses them looks at their range.
template <class S>
base::FieldOf<S> numbers(std::string_view name, std::vector<double> S::*values, base::About about) {
  about.value_name = "X[,X...]|FROM:TO:N[:log]";
  const auto write = [values](const S& object) { return nlohmann::json(object.*values); };
  const auto read = [values, name = std::string(name)](S& object, const nlohmann::json& value) {
    (object.*values).clear();
    for (const nlohmann::json& item : items_of("--" + base::dashed(name), value)) {
      if (!item.is_number())
        base::reject("{} takes numbers, as in 2, 1,2,5 or 0.1:10:20:log, got {}", base::dashed(name),
                     base::json_text(item));
      (object.*values).push_back(item.get<double>());
    }
  };
  return base::custom<S>(name, many(), write, read, about);
}

}  // namespace attnlaw::operations
