#pragma once
/// Completion of the command line in a shell.

#include <string>

namespace attnlaw::operations {

/// The script for bash: commands, their options, the words that an option takes, files.
std::string bash_completion();
/// The same for zsh, which can use that of bash, and for fish, with what the help says of each.
std::string zsh_completion();
std::string fish_completion();

}  // namespace attnlaw::operations
