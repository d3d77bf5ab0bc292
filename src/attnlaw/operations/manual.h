#pragma once
/// Manual pages, from the descriptions of the operations.

#include <string>

#include "attnlaw/operations/operation.h"

namespace attnlaw::operations {

/// The page of the program, attnlaw(1), and that of one command, attnlaw-COMMAND(1), in the language of man(7).
std::string manual_page();
std::string manual_page(const Operation& operation);

/// Writes all pages into a folder, each whole or not at all; makes the folder. Returns their names, one a line. Throws
/// base::FileError.
std::string write_manual(const std::string& directory);

}  // namespace attnlaw::operations
