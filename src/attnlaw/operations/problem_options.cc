#include "attnlaw/operations/problem_options.h"

#include <fmt/format.h>

#include <new>

#include "attnlaw/base/fields/text.h"
#include "attnlaw/base/file.h"
#include "attnlaw/base/reject.h"
#include "attnlaw/model/problem_file.h"
#include "attnlaw/operations/operation.h"
#include "attnlaw/theory/accuracy_field.h"

namespace attnlaw::operations {
namespace {

using nlohmann::json;

/// The problem that a document of this program carries.
json problem_inside(const json& result) {
  for (const char* place : {"/problem", "/pretraining/problem", "/task/problem"})
    if (const json::json_pointer at(place); result.contains(at)) return model::problem_of_result(result[at]);
  base::reject("this result of {} has no problem in it", result.value("command", "attnlaw"));
}

/// The problem in the text of a file.
json problem_in(const std::string& path, const std::string& text) {
  if (!path.ends_with(".json")) return model::json_from_toml(text);
  const json document = base::parse_json(text);
  if (!document.is_object()) base::reject("a problem is a JSON object");
  if (document.contains("schema") && document.contains("command")) return problem_inside(document);
  if (!document.contains("problem")) return document;
  for (const auto& [key, value] : document.items())
    if (key != "problem") base::reject("'{}' stands beside 'problem'; only a result of attnlaw has more in it", key);
  return document["problem"];
}

json read_problem(const std::string& path) {
  const std::string text = base::read_text(path);
  try {
    const json problem = base::in_snake_case(problem_in(path, text), "a problem");
    const auto accepted = base::field_names(describe(static_cast<const model::Problem*>(nullptr)));
    for (const auto& [name, value] : problem.items()) base::require_known(name, accepted, "a problem");
    return model::with_target_beside(path, problem);
  } catch (const std::bad_alloc&) {
    throw;
  } catch (const std::exception& error) {
    throw std::invalid_argument(fmt::format("{}: {}", path, error.what()));
  }
}

}  // namespace

const base::Description& describe(const ProblemOptions*) {
  using O = ProblemOptions;
  static const base::Description description{
      "a problem, by its options or in a file",
      {base::field(
           "problem", &O::file,
           {.doc = "read the problem from a TOML or JSON file; options given here override it", .value_name = "FILE"}),
       base::flat(&O::problem)}};
  return description;
}

const base::Description& describe(const TheoryOptions*) {
  using O = TheoryOptions;
  static const base::Description description{
      "options of the theory",
      {theory::accuracy_field(&O::accuracy),
       base::field("time_limit", &O::time_limit,
                   {.unit = "s",
                    .range = {.least = 0, .open = true},
                    .doc = "end searches and begin no finer points of one solution after so many seconds, and state "
                           "the accuracy reached"})}};
  return description;
}

theory::SolveOptions TheoryOptions::options() const {
  theory::SolveOptions options;
  options.accuracy = accuracy;
  options.time_limit = time_limit;
  return options;
}

json problem_without(const model::Problem& problem, const std::vector<std::string>& varying) {
  json document = base::json_of(problem);
  for (const std::string& name : varying) document.erase(name);
  return document;
}

std::string command_options(const model::Problem& problem, const std::vector<std::string>& without) {
  const json given = problem_without(problem, without), usual = base::json_of(model::default_problem(given));
  std::string text;
  for (const auto& [name, value] : given.items())
    if (!value.is_null() && (name == "alpha" || name == "lambda" || value != usual.value(name, json())))
      text += fmt::format(" --{} {}", base::dashed(name), base::shell_word(base::shown(value)));
  return text;
}

base::Description with_fallbacks(base::Description description,
                                 const std::vector<std::pair<const char*, const char*>>& otherwise) {
  for (base::Field& field : description.fields)
    for (const auto& [name, text] : otherwise)
      if (field.name == name) {
        field.about.required = false;
        field.about.otherwise = text;
      }
  return description;
}

json with_problem(const json& given, const json& fallback) {
  json options = given;
  if (const auto file = given.find("problem"); file != given.end()) {
    options = read_problem(file->get<std::string>());
    options.update(given);
    // The penalty of a file belongs to the student that it is overridden by.
    if (given.value("student", "") == "bayes" && !given.contains("lambda")) options.erase("lambda");
  }
  const bool penalised = options.value("student", json("tied")) != "bayes";
  for (const auto& [key, value] : fallback.items())
    if (!options.contains(key) && (key != "lambda" || penalised)) options[key] = value;
  const auto require = [&](const char* name) {
    if (!options.contains(name))
      throw base::MissingField(
          name, base::accepted(*base::find_field(describe(static_cast<ProblemOptions*>(nullptr)), name)));
  };
  require("alpha");
  if (penalised) require("lambda");
  return options;
}

}  // namespace attnlaw::operations
