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
  base::FieldOf<S> made;
  made.name = name;
  made.type = {base::Kind::text};
  made.get = [](const void*) { return nlohmann::json(); };
  made.set = [values, name, spacing, least, range = about.range](void* object, const nlohmann::json& value) {
    const auto grid = grid_from_text("--" + base::dashed(name), base::read_text(value, name), spacing, least);
    for (const double point : grid) base::require_in(range, name, point);
    static_cast<S*>(object)->*values = grid;
  };
  about.value_name = "FROM,TO,N";
  made.about = std::move(about);
  return made;
}

}  // namespace attnlaw::operations
