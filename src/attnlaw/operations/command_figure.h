#pragma once
/// Figures that commands draw: a file that names commands with their options where a study has problems.
///
/// ```toml
/// title = "…"
/// description = "…"
/// [[run]]
/// command = "icl"
/// heading = "…"                                              # of its first section
/// options = {context = 10, tasks = "0.1:5:60:log", sequences = 5}
/// fast = {tasks = "0.1:5:20:log"}                            # with --fast, instead of those above
/// ```

#include <optional>
#include <string>
#include <vector>

#include "attnlaw/operations/operation.h"

namespace attnlaw::operations {

struct CommandFigure {
  struct Part {
    std::string command, heading;
    nlohmann::json options;
  };
  std::string title, description;
  std::vector<Part> runs;
};

/// Reads such a file; nothing if it has no [[run]] and so is a study. Throws std::invalid_argument with `path` and the
/// line for what it does not take.
std::optional<CommandFigure> parse_command_figure(const std::string& text, const std::string& path, bool fast);

/// The pages of all its commands in one.
struct DrawnCommands {
  report::Page page;
  view::Warnings warnings;
  bool converged = true;
};
/// Throws what the commands throw, and std::invalid_argument for a command that draws nothing.
DrawnCommands draw(const CommandFigure& figure, Run run);

}  // namespace attnlaw::operations
