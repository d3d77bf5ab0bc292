#pragma once
/// Reports: one HTML file that needs no other file and no network.

#include <optional>
#include <string>
#include <vector>

#include "attnlaw/report/chart.h"
#include "attnlaw/report/table.h"

namespace attnlaw::report {

struct Section {
  std::string heading;
  /// Plain text; an empty line starts a new paragraph.
  std::string text;
  /// Drawn under the text, with its numbers in a folded table.
  std::optional<Chart> chart = {};
  /// Shown in full under the chart.
  std::optional<Table> table = {};
};

struct Page {
  std::string title;
  /// One paragraph that says what was computed and what came out.
  std::string lead;
  std::vector<Section> sections;
  /// The command that makes this page again.
  std::string command;
  std::string version;
  /// As it shall be printed.
  std::string date;
};

/// The page as one self-contained HTML5 document. Its content security policy forbids every request; it follows the
/// reader's dark or light theme; charts are SVG with export to SVG and PNG; all text is escaped.
/// Throws std::invalid_argument if a table is not well formed.
std::string html(const Page& page);

}  // namespace attnlaw::report
