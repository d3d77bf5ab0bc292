#pragma once
/// The command line: which operation is asked for, with which options.

#include <nlohmann/json.hpp>
#include <string>
#include <variant>

#include "attnlaw/operations/common_options.h"

namespace attnlaw::app {

struct Command {
  const operations::Operation* operation = nullptr;
  nlohmann::json options;  ///< those of the operation that were given, and those of Run
  operations::CommonOptions common;
  std::string html;  ///< where the page goes; empty: none is wanted
};

/// Help was asked for: its text.
struct Help {
  std::string text;
};

/// Throws std::invalid_argument with one line that names the offending value and what is accepted.
std::variant<Command, Help> parse(int argc, const char* const* argv);

/// What to add to a message about an option whose text looks like a number with a decimal comma, and was read as a list
/// of two: "; --alpha 0,3 is a list of two values: decimals have a point". Else nothing.
std::string comma_hint(int argc, const char* const* argv, const std::string& message);

/// The command line as typed, quoted for a shell.
std::string typed(int argc, const char* const* argv);

}  // namespace attnlaw::app
