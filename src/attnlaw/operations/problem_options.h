#pragma once
/// A problem among the options of an operation: given by its options, in a file, or both.

#include <nlohmann/json.hpp>
#include <string>

#include "attnlaw/base/fields/fields.h"
#include "attnlaw/model/problem.h"
#include "attnlaw/theory/solve.h"

namespace attnlaw::operations {

/// The options of a problem. `file` is read first; what stands beside it overrides it.
struct ProblemOptions {
  std::string file;  ///< TOML or JSON; a document of this program carries its problem inside; empty: none
  model::Problem problem;
};
const base::Description& describe(const ProblemOptions*);

/// `options` with what the file that `problem` names adds to them, and with those keys of `fallback` that an operation
/// can do without. Throws MissingField for a missing penalty, std::invalid_argument with the path for a file that is no
/// problem, base::FileError if it cannot be read.
nlohmann::json with_problem(const nlohmann::json& options, const nlohmann::json& fallback = nlohmann::json::object());

/// The document of a problem without those of its fields that vary.
nlohmann::json problem_without(const model::Problem& problem, const std::vector<std::string>& varying);

/// The options that make this problem on a command line: " --head linear --lambda 0.05", without those that are as they
/// are by themselves and those of these names.
std::string command_options(const model::Problem& problem, const std::vector<std::string>& without = {});

/// A description whose fields of these names can be left out, with what the help says of that: texts that live as long
/// as the description, which those of a string that is made for the call do not.
base::Description with_fallbacks(base::Description description,
                                 const std::vector<std::pair<const char*, const char*>>& otherwise);

/// The problem of an input that can do without some of its fields, see with_fallbacks and with_problem.
template <class Input>
base::FieldOf<Input> problem_field(ProblemOptions Input::*member,
                                   const std::vector<std::pair<const char*, const char*>>& otherwise) {
  static const base::Description problem =
      with_fallbacks(describe(static_cast<const model::Problem*>(nullptr)), otherwise);
  static base::Description options = describe(static_cast<const ProblemOptions*>(nullptr));
  options.fields.back().type.object = []() -> const base::Description& { return problem; };
  base::FieldOf<Input> made = base::flat(member);
  made.type.object = []() -> const base::Description& { return options; };
  return made;
}

/// The whole input of an operation that has a member `problem` of ProblemOptions: what with_problem gives, read by the
/// fields, and the problem validated.
template <base::Described Input>
Input read_with_problem(const nlohmann::json& given, const char* command,
                        const nlohmann::json& fallback = nlohmann::json::object()) {
  const nlohmann::json options = with_problem(given, fallback);
  Input input;
  input.problem.problem = model::default_problem(options);
  base::read(options, input, std::string("options of ") + command);
  input.problem.problem.validate();
  return input;
}

/// The options of the theory.
struct TheoryOptions {
  double accuracy = theory::SolveOptions{}.accuracy;
  std::optional<double> time_limit;

  theory::SolveOptions options() const;
};
const base::Description& describe(const TheoryOptions*);

}  // namespace attnlaw::operations
