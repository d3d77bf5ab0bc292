#pragma once
/// The columns of a CSV, and what docs/csv.md says of them.

#include <sstream>
#include <string>
#include <vector>

#include "cli/program.h"

namespace attnlaw::test {

/// From "## command" to the next heading, after what is said of all commands.
inline std::string documented_columns(const std::string& command) {
  const std::string page = slurp(ATTNLAW_DOCS "/csv.md");
  const std::size_t first = page.find("\n## " + command + "\n");
  if (first == std::string::npos) return "";
  return page.substr(0, page.find("\n## ")) + page.substr(first, page.find("\n## ", first + 1) - first);
}

inline std::vector<std::string> columns_of(const std::string& csv) {
  std::vector<std::string> columns;
  std::istringstream head(csv.substr(0, csv.find("\r\n")));
  for (std::string column; std::getline(head, column, ',');) columns.push_back(column);
  return columns;
}

}  // namespace attnlaw::test
