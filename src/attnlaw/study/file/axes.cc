#include "attnlaw/study/file/axes.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <set>

#include "attnlaw/study/file/keys.h"

namespace attnlaw::study {
namespace {

using base::TomlValue;
using Json = nlohmann::json;

RangeKeys read_range(const SourceFile& file, const Values& values) {
  RangeKeys range;
  read_table(file, values.given, describe(&range), &range, "the range of " + values.key);
  return range;
}

void require_list(const SourceFile& file, const Values& list) {
  if (list.given.items.empty()) file.reject(list.given.line, "{} needs at least one value, got []", list.key);
  for (const TomlValue& item : list.given.items)
    if (!item.scalar.is_number() && !item.scalar.is_string())
      file.reject(item.line, "values of {} must be numbers or strings, got {}", list.key, item.described());
}

/// Integers stay integers where a range of them meets them: tokens from 2 to 5.
Json range_value(double value, bool integers) {
  return integers && value == std::round(value) ? Json(static_cast<std::int64_t>(value)) : Json(value);
}

std::vector<Json> range_values(const SourceFile& file, const Values& values) {
  const RangeKeys range = read_range(file, values);
  const TomlValue &from = *values.given.find("from"), &to = *values.given.find("to");
  const bool integers = from.scalar.is_number_integer() && to.scalar.is_number_integer();
  if (range.count > kMostGridPoints)
    file.reject(values.given.find("count")->line, "count of {} must be an integer from 2 to {}, got {}", values.key,
                kMostGridPoints, range.count);
  std::vector<Json> list;
  file.placed(from.line, "range of " + values.key + ": ", [&] {
    for (const double value : grid(range.from, range.to, static_cast<int>(range.count), range.spacing))
      list.push_back(range_value(value, integers));
  });
  return list;
}

/// Refuses lists that have one point twice, of all keys together. Values of a range differ.
void require_different(const SourceFile& file, const Axis& axis) {
  std::set<std::vector<Json>> seen;
  const auto is_list = [](const Values& values) { return values.given.is_array(); };
  if (!std::all_of(axis.keys.begin(), axis.keys.end(), is_list)) return;
  for (std::size_t i = 0; i < axis.keys.front().given.items.size(); ++i) {
    std::vector<Json> point;
    std::vector<std::string> texts;
    for (const Values& key : axis.keys) {
      point.push_back(key.given.items[i].scalar);
      texts.push_back(key.given.items[i].described());
    }
    if (!seen.insert(std::move(point)).second)
      file.reject(axis.keys.front().given.items[i].line, "the axis {} has {} twice", axis.name(),
                  fmt::join(texts, ", "));
  }
}

Axis read_axis(const SourceFile& file, const TomlValue& table, std::set<std::string>& seen) {
  if (!table.is_table() || table.entries.empty())
    file.reject(table.line, "every one of axes must be a table like {{alpha = [0.1, 0.2]}}, got {}",
                table.is_table() ? "an empty one" : table.described());
  Axis axis;
  for (const auto& [key, given] : table.entries) {
    axis.keys.push_back(read_values(file, key, given));
    if (!seen.insert(key).second) file.reject(given.line, "axes have {} twice", key);
    const Values &first = axis.keys.front(), &last = axis.keys.back();
    if (last.count != first.count)
      file.reject(given.line, "keys of one axis vary together and need equally many values; {} has {}, {} has {}",
                  first.key, first.count, last.key, last.count);
  }
  require_different(file, axis);
  return axis;
}

/// Every point, continued by every value of the axis.
std::vector<Json> times(const std::vector<Json>& points, const SourceFile& file, const Axis& axis) {
  std::vector<std::vector<Json>> values;
  for (const Values& key : axis.keys) values.push_back(values_of(file, key));
  std::vector<Json> product;
  product.reserve(points.size() * values.front().size());
  for (const Json& point : points)
    for (std::size_t i = 0; i < values.front().size(); ++i) {
      product.push_back(point);
      for (std::size_t k = 0; k < values.size(); ++k) product.back()[axis.keys[k].key] = values[k][i];
    }
  return product;
}

}  // namespace

Values read_values(const SourceFile& file, const std::string& key, const TomlValue& given) {
  Values values{key, given};
  if (given.is_array()) {
    require_list(file, values);
    values.count = static_cast<double>(given.items.size());
  } else if (given.is_table()) {
    values.count = static_cast<double>(read_range(file, values).count);
  } else {
    file.reject(given.line, "{} must be a list [a, b] or a range {{from, to, count, spacing}}, got {}", key,
                given.described());
  }
  return values;
}

std::vector<Json> values_of(const SourceFile& file, const Values& values) {
  if (values.given.is_table()) return range_values(file, values);
  std::vector<Json> list;
  for (const TomlValue& item : values.given.items) list.push_back(item.scalar);
  return list;
}

std::string Axis::name() const {
  std::vector<std::string> names;
  for (const Values& key : keys) names.push_back(key.key);
  return fmt::format("{}", fmt::join(names, ", "));
}

std::vector<Axis> read_axes(const SourceFile& file, const TomlValue& axes) {
  if (!axes.is_array()) file.reject(axes.line, "axes must be an array of tables, got {}", axes.described());
  std::vector<Axis> result;
  std::set<std::string> seen;
  for (const TomlValue& table : axes.items) result.push_back(read_axis(file, table, seen));
  return result;
}

double point_count(const std::vector<Axis>& axes) {
  double count = 1;
  for (const Axis& axis : axes) count *= axis.count();
  return count;
}

std::vector<Json> points_of(const SourceFile& file, const std::vector<Axis>& axes) {
  std::vector<Json> points{Json::object()};
  for (const Axis& axis : axes) points = times(points, file, axis);
  return points;
}

}  // namespace attnlaw::study
