#include "attnlaw/study/file/request.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>
#include <limits>
#include <nlohmann/json.hpp>

#include "attnlaw/base/fields/description.h"
#include "attnlaw/base/names.h"
#include "attnlaw/base/reject.h"

namespace attnlaw::study {
namespace {

using base::TomlValue;
using Json = nlohmann::json;

constexpr int kMostInt = std::numeric_limits<int>::max();

/// Coordinates that experiments add by themselves.
constexpr const char* kReserved[] = {"d", "instance"};

bool contains(const std::vector<std::string>& texts, const std::string& text) {
  return std::find(texts.begin(), texts.end(), text) != texts.end();
}

// ---- variables -----------------------------------------------------------------------------------------------------

/// Calls literal(text) and variable(name) for the pieces of a text in turn.
template <class Literal, class Variable>
void split_at_variables(const std::string& text, Literal literal, Variable variable) {
  std::size_t first = 0;
  for (std::size_t open; (open = text.find('{', first)) != std::string::npos;) {
    const std::size_t close = text.find('}', open);
    if (close == std::string::npos) break;
    literal(text.substr(first, open - first));
    variable(base::snake_case(text.substr(open + 1, close - open - 1)));
    first = close + 1;
  }
  literal(text.substr(first));
}

std::vector<std::string> variables_in(const Json& value) {
  std::vector<std::string> names;
  if (value.is_string())
    split_at_variables(
        value.get<std::string>(), [](const std::string&) {}, [&](const std::string& name) { names.push_back(name); });
  return names;
}

/// Names in braces anywhere in the problem, with the line they stand on.
std::map<std::string, int> variables_of(const PartRequest& request) {
  std::map<std::string, int> found;
  const auto collect = [&](const Json& value, int line) {
    for (const std::string& name : variables_in(value)) found.emplace(name, line);
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
      if (std::find(std::begin(kReserved), std::end(kReserved), key) != std::end(kReserved))
        file.reject(values.given.line, "{} cannot be an axis; it is a key of experiment", key);
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
  for (const auto& [key, value] : table_of(file, "problem", problem).entries) {
    if (!value.is_scalar())
      file.reject(value.line, "{} in problem must be a string or a number, got {}; values that vary stand in axes", key,
                  value.described());
    request.problem[key] = value.scalar;
    request.lines[key] = value.line;
  }
  const std::vector<std::string>& options = problem_options();
  for (const auto& [key, value] : request.problem.items())
    if (!contains(options, key))
      file.reject(request.lines.at(key), "unknown key '{}' in problem; accepted: {}{}", key, fmt::join(options, ", "),
                  base::suggestion(key, options));
}

/// Tells whether a key that takes a table, or false for none of it, asks for something.
bool wanted(const SourceFile& file, const char* key, const TomlValue& value) {
  if (value.scalar == false) return false;
  if (!value.is_table()) file.reject(value.line, "{} must be a table or false, got {}", key, value.described());
  return true;
}

std::optional<TheoryRequest> read_theory(const SourceFile& file, const TomlValue& theory) {
  if (theory.scalar.is_boolean()) return theory.scalar.get<bool>() ? std::optional(TheoryRequest{}) : std::nullopt;
  if (!theory.is_table()) file.reject(theory.line, "theory must be true, false or a table, got {}", theory.described());
  require_keys(file, theory, "theory", {"density", "warm_start"});
  TheoryRequest request;
  if (const TomlValue* given = theory.find("density")) request.density = flag_of(file, "density", *given);
  if (const TomlValue* given = theory.find("warm_start")) request.warm_start = flag_of(file, "warm_start", *given);
  return request;
}

std::vector<int> read_dimensions(const SourceFile& file, const TomlValue& experiment) {
  const TomlValue* given = experiment.find("d");
  if (!given) file.reject(experiment.line, "experiment needs d: an integer, or a list of them");
  std::vector<int> dimensions;
  const auto add = [&](const TomlValue& value) {
    const int d = static_cast<int>(integer_of(file, "d", value, 1, kMostInt));
    if (std::find(dimensions.begin(), dimensions.end(), d) != dimensions.end())
      file.reject(value.line, "d has {} twice; more instances of one d are asked for with instances", d);
    dimensions.push_back(d);
  };
  if (!given->is_array()) add(*given);
  for (const TomlValue& item : given->items) add(item);
  if (dimensions.empty()) file.reject(given->line, "d needs at least one value, got []");
  return dimensions;
}

/// The name of a trainer, an initialisation or a precision.
template <base::NamedEnum E>
E named(const SourceFile& file, const std::string& key, const TomlValue& value) {
  try {
    return base::value_of<E>(key, text_of(file, key, value));
  } catch (const std::invalid_argument& error) {
    if (!value.scalar.is_string()) throw;
    file.reject(value.line, "{}", error.what());
  }
}

ExperimentRequest read_experiment(const SourceFile& file, const TomlValue& experiment, std::uint64_t seed) {
  require_keys(file, experiment, "experiment",
               {"d", "instances", "trainer", "init", "precision", "tolerance", "max_iterations"});
  ExperimentRequest request;
  request.d = read_dimensions(file, experiment);
  experiment::Options& options = request.options;
  options.seed = seed;
  if (const TomlValue* given = experiment.find("instances"))
    options.instances = static_cast<int>(integer_of(file, "instances", *given, 1, kMostInt));
  if (const TomlValue* given = experiment.find("max_iterations"))
    options.max_iterations = static_cast<int>(integer_of(file, "max_iterations", *given, 1, kMostInt));
  if (const TomlValue* given = experiment.find("tolerance")) options.tolerance = number_of(file, "tolerance", *given);
  if (const TomlValue* given = experiment.find("trainer"))
    request.trainer = named<experiment::Trainer>(file, "trainer", *given);
  if (const TomlValue* given = experiment.find("init"))
    options.initialisation = named<experiment::Initialisation>(file, "init", *given);
  if (const TomlValue* given = experiment.find("precision"))
    options.precision = named<experiment::Precision>(file, "precision", *given);
  return request;
}

Values read_scaling(const SourceFile& file, const TomlValue& scaling) {
  require_keys(file, scaling, "scaling", {"n"});
  const TomlValue* n = scaling.find("n");
  if (!n) file.reject(scaling.line, "scaling needs n: a list or a range of numbers of sequences");
  Values values = read_values(file, "n", *n);
  for (const TomlValue& item : values.given.items) number_of(file, "n", item);
  return values;
}

void read_computations(const SourceFile& file, const TomlValue& part, std::uint64_t seed, PartRequest& request) {
  bool asked = false;
  if (const TomlValue* given = part.find("theory")) request.theory = read_theory(file, *given), asked = true;
  if (const TomlValue* given = part.find("thresholds"))
    request.thresholds = flag_of(file, "thresholds", *given), asked = true;
  if (const TomlValue* given = part.find("scaling"); given && (asked = true, wanted(file, "scaling", *given)))
    request.n = read_scaling(file, *given);
  if (const TomlValue* given = part.find("experiment"); given && (asked = true, wanted(file, "experiment", *given))) {
    request.experiment = read_experiment(file, *given, seed);
    for (const auto& [key, value] : given->entries) request.lines[key] = value.line;
  }
  if (!asked) request.theory.emplace();
  if (request.tasks_per_point() == 0)
    file.reject(request.line, "part '{}' computes nothing; it takes theory, experiment, thresholds or scaling",
                request.name);
}

}  // namespace

const std::vector<std::string>& problem_options() {
  static const std::vector<std::string> options = [] {
    std::vector<std::string> keys;
    const Json resolved = model::to_json(model::Problem{});
    for (const auto& [key, value] : resolved.items()) keys.push_back(key);
    return keys;
  }();
  return options;
}

std::string substituted(const std::string& text, const Json& coordinates) {
  std::string result;
  split_at_variables(
      text, [&](const std::string& literal) { result += literal; },
      [&](const std::string& name) {
        if (!coordinates.contains(name)) base::reject("{{{}}} has no axis of this name", name);
        const Json& value = coordinates[name];
        if (value.is_string())
          result += value.get<std::string>();
        else if (value.is_number_integer())
          result += fmt::format("{}", value.get<std::int64_t>());
        else
          result += fmt::format("{}", value.get<double>());
      });
  return result;
}

double PartRequest::tasks_per_point() const {
  double tasks = (theory ? 1 : 0) + (thresholds ? 1 : 0) + (n ? 1 : 0);
  if (experiment) tasks += static_cast<double>(experiment->d.size()) * experiment->options.instances;
  return tasks;
}

PartRequest read_request(const SourceFile& file, const PartTable& part, std::uint64_t seed) {
  PartRequest request{part.name, part.table.line, Json::object(), {}, {}, {}, {}, {}, false};
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
