#pragma once
/// Writes the page of a result.

#include <string>

#include "attnlaw/view/result.h"

namespace attnlaw::view {

/// Writes the page, whole or not at all, with the warnings of the result as its last section. `command` makes the page
/// again; an empty date leaves it out. Throws base::FileError.
void write_page(report::Page page, const Warnings& warnings, const std::string& path, const std::string& command,
                const std::string& date = "");

}  // namespace attnlaw::view
