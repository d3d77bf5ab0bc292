#pragma once
/// Random questions to the theory, from all of the range that its commands accept.

#include <nlohmann/json.hpp>
#include <string>

#include "attnlaw/model/problem.h"
#include "table.h"

namespace attnlaw::reliability {

using accuracy::Draw;

/// A command with its options, names in snake_case.
struct Question {
  std::string command;
  nlohmann::json options;

  /// As it is typed.
  std::string text() const;
};

/// Options of a problem that may not go together: then validate() refuses it with a message. Numbers are log-uniform,
/// and small counts of tokens are the most frequent.
nlohmann::json draw_problem_options(Draw& draw);

/// A problem that is accepted.
model::Problem draw_problem(Draw& draw);

/// Nine of ten are of `solve`, or all of them of `command` where one is named.
Question draw_question(Draw& draw, const std::string& command = "");

/// The commands of the theory.
const std::vector<std::string>& commands();

}  // namespace attnlaw::reliability
