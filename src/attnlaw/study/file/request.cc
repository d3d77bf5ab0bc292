#include "attnlaw/study/file/request.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>
#include <nlohmann/json.hpp>

#include "attnlaw/base/fields/fields.h"
#include "attnlaw/base/fields/text.h"
#include "attnlaw/base/names.h"
#include "attnlaw/base/reject.h"

namespace attnlaw::study {
namespace {

using base::TomlValue;
using Json = nlohmann::json;

bool contains(const std::vector<std::string>& texts, const std::string& text) {
  return std::find(texts.begin(), texts.end(), text) != texts.end();
}

// ---- variables -----------------------------------------------------------------------------------------------------

/// The text with value(name) for every {name}.
template <class Value>
std::string replaced(const std::string& text, Value value) {
  std::string result;
  std::size_t first = 0;
  for (std::size_t open; (open = text.find('{', first)) != std::string::npos;) {
    const std::size_t close = text.find('}', open);
    if (close == std::string::npos) break;
    result += text.substr(first, open - first) + value(base::snake_case(text.substr(open + 1, close - open - 1)));
    first = close + 1;
  }
  return result + text.substr(first);
}

/// Names in braces anywhere in the problem, with the line they stand on.
std::map<std::string, int> variables_of(const PartRequest& request) {
  std::map<std::string, int> found;
  const auto collect = [&](const Json& value, int line) {
    if (value.is_string())
      replaced(value.get<std::string>(), [&](const std::string& name) { return found.emplace(name, line), ""; });
  };
  for (const auto& [key, value] : request.problem.items()) collect(value, request.lines.at(key));
  for (const Axis& axis : request.axes)
    for (const Values& values : axis.keys)
      for (const TomlValue& item : values.given.items) collect(item.scalar, item.line);
  return found;
}

void require_known_axes(const SourceFile& file, const PartRequest& request) {
  const std::vector<std::string>& options = problem_options();
  const std::map<std::string, int> variables = variables_of(request);
  std::vector<std::string> axes;
  for (const Axis& axis : request.axes)
    for (const Values& values : axis.keys) {
      const std::string& key = axes.emplace_back(values.key);
      if (key == "d" || key == "instance")  // experiments add these by themselves
        file.reject(values.given.line, "{} cannot be an axis; it is a key of experiment", key);
      if (key == kEffectiveRatio) {
        if (contains(axes, "alpha") || request.problem.contains("alpha"))
          file.reject(values.given.line, "alpha_eff = alpha K_eff stands in place of alpha, and both are given");
        continue;
      }
      if (!contains(options, key) && !variables.contains(key))
        file.reject(values.given.line,
                    "axis {0} is neither an option of the problem ({1}) nor a variable: no string of the problem has "
                    "{{{0}}}{2}",
                    key, fmt::join(options, ", "), base::suggestion(key, options));
    }
  for (const auto& [name, line] : variables)
    if (!contains(axes, name))
      file.reject(line, "{{{}}} in the problem of part '{}' has no axis of this name; axes: {}{}", name, request.name,
                  axes.empty() ? "none" : fmt::format("{}", fmt::join(axes, ", ")), base::suggestion(name, axes));
}

// ---- keys of a part ------------------------------------------------------------------------------------------------

void read_problem(const SourceFile& file, const TomlValue& problem, PartRequest& request) {
  require_keys(file, table_of(file, "problem", problem), "problem", problem_options());
  for (const auto& [key, value] : problem.entries) {
    if (!value.is_scalar())
      file.reject(value.line, "{} in problem must be a string or a number, got {}; values that vary stand in axes", key,
                  value.described());
    request.problem[key] = value.scalar;
    request.lines[key] = value.line;
  }
}

/// The table under a key that takes false, and where `flag` says so true, for none of it; null if there is none, or it
/// is false. True is an empty table.
const TomlValue* wanted(const SourceFile& file, const TomlValue& part, const char* key, bool flag = false) {
  static const TomlValue kEmpty;
  const TomlValue* value = part.find(key);
  if (!value || value->scalar == false) return nullptr;
  if (flag && value->scalar == true) return &kEmpty;
  if (!value->is_table())
    file.reject(value->line, "{} must be {}, got {}", key, flag ? "true, false or a table" : "a table or false",
                value->described());
  return value;
}

ExperimentRequest read_experiment(const SourceFile& file, const TomlValue& experiment, std::uint64_t seed) {
  ExperimentRequest request;
  read_table(file, experiment, base::detail::description_of<ExperimentKeys>(), &request, "experiment");
  const TomlValue& d = *experiment.find("d");
  if (request.d.empty()) file.reject(d.line, "d needs at least one value, got []");
  for (std::size_t i = 0; i < request.d.size(); ++i)
    if (std::find(request.d.begin(), request.d.begin() + static_cast<std::ptrdiff_t>(i), request.d[i]) !=
        request.d.begin() + static_cast<std::ptrdiff_t>(i))
      file.reject(d.items[i].line, "d has {} twice; more instances of one d are asked for with instances",
                  request.d[i]);
  request.any_trainer = !experiment.find("trainer");
  request.options.seed = seed;
  return request;
}

Values read_scaling(const SourceFile& file, const TomlValue& scaling) {
  ScalingKeys keys;
  read_table(file, scaling, describe(&keys), &keys, "scaling");
  Values values = read_values(file, "n", *scaling.find("n"));
  for (const TomlValue& item : values.given.items)
    if (!item.scalar.is_number()) file.reject(item.line, "n must be a number, got {}", item.described());
  return values;
}

void read_computations(const SourceFile& file, const TomlValue& part, std::uint64_t seed, PartRequest& request) {
  PartKeys keys;
  read_table(file, part, describe(&keys), &keys, "a part");
  if (const TomlValue* thresholds = wanted(file, part, "thresholds", true))
    read_table(file, *thresholds, base::detail::description_of<ThresholdsKeys>(), &request.thresholds.emplace(),
               "thresholds");
  if (const TomlValue* theory = wanted(file, part, "theory", true))
    read_table(file, *theory, base::detail::description_of<TheoryKeys>(), &request.theory.emplace(), "theory");
  if (const TomlValue* scaling = wanted(file, part, "scaling")) request.n = read_scaling(file, *scaling);
  if (const TomlValue* experiment = wanted(file, part, "experiment")) {
    request.experiment = read_experiment(file, *experiment, seed);
    for (const auto& [key, value] : experiment->entries) request.lines[key] = value.line;
  }
  const auto asked = [&](const char* key) { return part.find(key) != nullptr; };
  if (!asked("theory") && !asked("thresholds") && !asked("scaling") && !asked("experiment")) request.theory.emplace();
  if (request.tasks_per_point() == 0)
    file.reject(request.line, "part '{}' computes nothing; it takes theory, experiment, thresholds or scaling",
                request.name);
}

}  // namespace

const std::vector<std::string>& problem_options() {
  static const std::vector<std::string> options = [] {
    std::vector<std::string> names = base::field_names(base::detail::description_of<model::Problem>());
    std::sort(names.begin(), names.end());
    return names;
  }();
  return options;
}

std::string substituted(const std::string& text, const Json& coordinates) {
  return replaced(text, [&](const std::string& name) {
    if (!coordinates.contains(name)) base::reject("{{{}}} has no axis of this name", name);
    return base::shown(coordinates[name]);
  });
}

double PartRequest::tasks_per_point() const {
  double tasks = (theory ? 1 : 0) + (thresholds ? 1 : 0) + (n ? 1 : 0);
  if (experiment) tasks += static_cast<double>(experiment->d.size()) * experiment->options.instances;
  return tasks;
}

PartRequest read_request(const SourceFile& file, const PartTable& part, std::uint64_t seed) {
  PartRequest request{part.name, part.table.line, Json::object(), {}, {}, {}, {}, {}, {}};
  if (const TomlValue* problem = part.table.find("problem")) read_problem(file, *problem, request);
  if (const TomlValue* axes = part.table.find("axes")) request.axes = read_axes(file, *axes);
  for (const Axis& axis : request.axes)
    for (const Values& values : axis.keys) {
      request.problem.erase(values.key);
      request.lines[values.key] = values.given.line;
    }
  require_known_axes(file, request);
  read_computations(file, part.table, seed, request);
  return request;
}

}  // namespace attnlaw::study
