#pragma once
/// Writes a report as one HTML file that needs no other file and no network.
///
/// ```cpp
/// #include <cstdio>
///
/// #include "attnlaw/report/page.h"
///
/// namespace report = attnlaw::report;
/// const report::Table table{.title = "Errors",
///                           .columns = {{.name = "alpha"}, {.name = "test"}},
///                           .rows = {{0.5, 0.2}, {1.0, 0.1}}};
/// const report::Page page{.title = "A learning curve",
///                         .lead = "The test error halves when the number of samples doubles.",
///                         .sections = {{.heading = "Errors", .text = "Each row is one point.", .table = table}},
///                         .command = "my_program",
///                         .version = "1.0",
///                         .date = "2026-01-31"};
/// std::printf("%zu bytes of HTML\n", report::html(page).size());
/// ```

#include <optional>
#include <string>
#include <vector>

#include "attnlaw/report/chart.h"
#include "attnlaw/report/gallery.h"
#include "attnlaw/report/table.h"

namespace attnlaw::report {

struct Section {
  std::string heading;
  /// The text is plain; an empty line starts a new paragraph, and what stands in `backticks` is set as code.
  std::string text = {};
  /// The chart is drawn under the text, with its numbers in a folded table.
  std::optional<Chart> chart = {};
  /// The table is shown in full under the chart.
  std::optional<Table> table = {};
  /// The panels are folded under the table; each is drawn when it is opened.
  std::optional<SpectrumGallery> gallery = {};
};

struct Page {
  std::string title;
  /// The lead is one paragraph that says what was computed and what came out.
  std::string lead;
  std::vector<Section> sections = {};
  /// The command that makes this page again.
  std::string command = {};
  std::string version = {};
  /// The date is printed as it stands here.
  std::string date = {};
  /// What the page is of, as a file that the program reads: it is shown at the foot, and can be saved under its name.
  std::string input = {};
  std::string input_name = {};
  /// Tells the target of the problem from others that have its name, as a file may change; may be empty.
  std::string target_hash = {};
};

/// Returns the page as one self-contained HTML5 document. Its content security policy forbids every request; it follows
/// the reader's dark or light theme; charts are SVG with export to SVG, PNG and CSV; all text is escaped. Throws
/// std::invalid_argument if a table is not well formed.
std::string html(const Page& page);

}  // namespace attnlaw::report
