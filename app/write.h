#pragma once
/// Where results go: standard output or a whole file, and a page if one is wanted.

#include <string>

#include "command_line.h"

namespace attnlaw::app {

/// To a file, whole or not at all, or to standard output if the path is empty. Throws base::FileError.
void write_text(const std::string& path, const std::string& text);

/// Fails early: throws base::FileError unless the files a command will write at its end can be written.
void require_outputs(const Command& command);

/// Writes the page, if there is one, then the result in the format asked for, each file whole or not at all. `line`:
/// the command that makes the page again.
void write(const Command& command, view::Result result, const std::string& line);

}  // namespace attnlaw::app
