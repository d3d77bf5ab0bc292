#pragma once
/// The columns of a CSV, and what docs/csv.md says of them.

#include <map>
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

/// The cells of a line that quotes none.
inline std::vector<std::string> cells_of(const std::string& line) {
  std::vector<std::string> cells;
  std::istringstream in(line);
  for (std::string cell; std::getline(in, cell, ',');) cells.push_back(cell);
  return cells;
}

inline std::vector<std::string> columns_of(const std::string& csv) { return cells_of(csv.substr(0, csv.find("\r\n"))); }

/// The lines of a CSV, each a cell by the name of its column; cells that a line leaves out at its end are not there.
inline std::vector<std::map<std::string, std::string>> records_of(const std::string& csv) {
  const std::vector<std::string> columns = columns_of(csv);
  std::vector<std::map<std::string, std::string>> records;
  std::istringstream in(csv.substr(csv.find('\n') + 1));
  for (std::string line; std::getline(in, line);) {
    const std::vector<std::string> cells = cells_of(line.substr(0, line.find('\r')));
    auto& record = records.emplace_back();
    for (std::size_t i = 0; i < cells.size(); ++i) record[columns.at(i)] = cells[i];
  }
  return records;
}

}  // namespace attnlaw::test
