#pragma once
/// Grids of one variable as options: FROM,TO,N.

#include <string>
#include <vector>

#include "attnlaw/base/fields/fields.h"
#include "attnlaw/study/grid.h"

namespace attnlaw::operations {

/// FROM,TO,N as a grid. Throws std::invalid_argument that names the option for any other text, and for fewer points
/// than `least`.
std::vector<double> grid_from_text(const std::string& option, const std::string& text, study::Spacing spacing,
                                   int least = 2);

/// A field for the values of a grid; it has none unless it is given.
template <class S>
base::FieldOf<S> grid(std::string name, std::vector<double> S::*values, study::Spacing spacing, base::About about,
                      int least = 2) {
  about.value_name = "FROM,TO,N";
  const auto read = [values, name, spacing, least, range = about.range](S& object, const nlohmann::json& value) {
    object.*values = grid_from_text("--" + base::dashed(name), base::read_text(value, name), spacing, least);
    for (const double point : object.*values) base::require_in(range, name, point);
  };
  return base::custom<S>(
      name, {base::Kind::text}, [](const S&) { return nlohmann::json(); }, read, std::move(about));
}

}  // namespace attnlaw::operations
