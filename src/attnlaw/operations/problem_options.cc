#include "attnlaw/operations/problem_options.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "attnlaw/base/file.h"
#include "attnlaw/base/names.h"
#include "attnlaw/base/reject.h"
#include "attnlaw/model/problem_file.h"
#include "attnlaw/operations/operation.h"

namespace attnlaw::operations {
namespace {

using nlohmann::json;

/// The options of a problem alone. Throws std::invalid_argument for any other.
void require_problem(const json& problem) {
  const std::vector<std::string> names = base::field_names(describe(static_cast<const model::Problem*>(nullptr)));
  for (const auto& [key, value] : problem.items())
    if (std::find(names.begin(), names.end(), base::snake_case(key)) == names.end())
      base::reject("unknown key '{}' in a problem; accepted: {}{}", key, fmt::join(names, ", "),
                   base::suggestion(key, names));
}

/// The problem in the text of a file. A document that this program wrote carries it inside.
json problem_in(const std::string& path, const std::string& text) {
  if (!path.ends_with(".json")) return model::json_from_toml(text);
  const json document = json::parse(text);
  const json problem = document.contains("problem") ? document["problem"] : document;
  if (!problem.is_object()) throw std::invalid_argument("a problem is a JSON object");
  return problem;
}

json read_problem(const std::string& path) {
  const std::string text = base::read_text(path);
  try {
    const json problem = problem_in(path, text);
    require_problem(problem);
    return model::with_target_beside(path, in_snake_case(problem));
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
  static const base::Description description{
      "options of the theory",
      {base::field("accuracy", &TheoryOptions::accuracy,
                   {.doc = "largest relative sampling error of the theory", .accepts = "a number from 1e-6 to 0.1"})}};
  return description;
}

theory::SolveOptions TheoryOptions::options() const {
  theory::SolveOptions options;
  options.accuracy = accuracy;
  theory::require_valid(options);
  return options;
}

json problem_without(const model::Problem& problem, const std::vector<std::string>& varying) {
  json document = base::json_of(problem);
  for (const std::string& name : varying) document.erase(name);
  return document;
}

base::Description with_fallbacks(base::Description description,
                                 const std::vector<std::pair<std::string, std::string>>& otherwise) {
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
