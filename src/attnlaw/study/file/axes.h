#pragma once
/// Axes of a study file: lists and ranges, zipped within a table, multiplied between tables.

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "attnlaw/study/file/reading.h"

namespace attnlaw::study {

/// A list of numbers or strings, or a range {from, to, count, spacing}, whose values are not made yet.
struct Values {
  std::string key;
  base::TomlValue given;
  double count = 0;  ///< whole; may be absurd, to be judged before the values are made
};

/// Throws std::invalid_argument unless `given` is a list or a range.
Values read_values(const SourceFile& file, const std::string& key, const base::TomlValue& given);
/// The values: numbers or strings. Throws std::invalid_argument for a range that study::grid refuses.
std::vector<nlohmann::json> values_of(const SourceFile& file, const Values& values);

/// Keys that vary together.
struct Axis {
  std::vector<Values> keys;  ///< at least one, all of equal count

  double count() const { return keys.front().count; }
  /// "alpha" or "alpha, lambda".
  std::string name() const;
};

/// `axes` of a part. Throws std::invalid_argument for anything but tables of values, for zipped keys of different
/// counts, for a key that comes twice, and for lists with the same values twice.
std::vector<Axis> read_axes(const SourceFile& file, const base::TomlValue& axes);

/// Number of points, whole, possibly absurd.
double point_count(const std::vector<Axis>& axes);

/// The product of the axes, outermost first: objects from key to value; one empty object if there are no axes.
std::vector<nlohmann::json> points_of(const SourceFile& file, const std::vector<Axis>& axes);

}  // namespace attnlaw::study
