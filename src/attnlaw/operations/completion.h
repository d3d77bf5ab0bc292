#pragma once
/// Completion of the command line in a shell.

#include <string>

namespace attnlaw::operations {

/// The script for bash: commands, their options, the words that an option takes, files.
std::string bash_completion();

}  // namespace attnlaw::operations
