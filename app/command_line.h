#pragma once
/// The command line: which operation is asked for, with which options.

#include <cstdint>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <variant>

#include "attnlaw/operations/operation.h"

namespace attnlaw::app {

enum class Format { table, json, csv };
std::span<const base::Named<Format>> names_table(Format);

/// Options that every command takes.
struct Common {
  Format format = Format::table;
  std::string output;  ///< file; empty: standard output
  bool quiet = false;
  operations::Run run;
};
const base::Description& describe(const Common*);

struct Command {
  const operations::Operation* operation = nullptr;
  nlohmann::json options;  ///< those of the operation that were given, and of Run
  Common common;
  std::string html;  ///< where the page goes; empty: none is wanted
};

/// Help was asked for: its text.
struct Help {
  std::string text;
};

/// Throws std::invalid_argument with one line that names the offending value and what is accepted.
std::variant<Command, Help> parse(int argc, const char* const* argv);

/// The command line as typed, quoted for a shell.
std::string typed(int argc, const char* const* argv);

}  // namespace attnlaw::app
