#include "write.h"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <stdexcept>
#include <utility>
#include <vector>

#include "attnlaw/base/file.h"
#include "attnlaw/base/json_text.h"
#include "attnlaw/base/numbers.h"
#include "attnlaw/base/printable.h"
#include "attnlaw/view/page_file.h"
#include "standard_streams.h"

namespace attnlaw::app {
namespace {

using operations::Format;

constexpr int kIndent = 2;

/// So many characters fit into a line: of the terminal, or of a page where it goes elsewhere.
std::size_t line_width(const std::string& output) {
  constexpr std::size_t kPage = 80;
  winsize size{};
  if (!output.empty() || ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return kPage;
  return std::max<std::size_t>(kPage / 2, size.ws_col);
}

/// A line that may name a file, whose name may be any bytes.
std::string line_of(std::string_view text) { return base::on_one_line(base::escaped(text)) + "\n"; }

/// Returns what a person reads: tables, warnings, a note.
std::string text_of(const view::Result& result, std::size_t width) {
  std::string text;
  for (const report::Table& table : result.tables) text += (text.empty() ? "" : "\n") + report::text(table, width);
  if (!result.warnings.empty()) text += "\n";
  for (const std::string& warning : result.warnings) text += line_of(warning);
  if (result.note.empty()) return text;
  text += "\n";
  for (const std::string_view line : base::split(result.note, '\n')) text += line_of(line);
  return text;
}

/// Whether the warnings stand in what formatted() makes: in a document, or under tables.
bool shows_warnings(Format format, const view::Result& result) {
  return format == Format::json || !result.document_alone.empty() || (format == Format::table && !result.text);
}

std::string formatted(Format format, const view::Result& result, std::size_t width) {
  if (format == Format::csv && !result.document_alone.empty()) throw std::invalid_argument(result.document_alone);
  if (format == Format::json || !result.document_alone.empty()) return base::json_text(result.document, kIndent) + "\n";
  if (result.text && (format == Format::table || result.rows.table().columns.empty())) return *result.text;
  return format == Format::csv ? report::csv(result.rows.table()) : text_of(result, width);
}

/// A file is whole, or what it was: of an interrupted run the known part goes to standard output. Returns what is said.
std::string give_up_files(Command& command, const std::string& interrupted) {
  std::vector<std::string> files;
  for (std::string* path : {&command.common.output, &command.html})
    if (!path->empty()) files.push_back(base::on_one_line(std::exchange(*path, {})));
  if (files.empty()) return "interrupted " + interrupted;
  return fmt::format("interrupted {}; not written: {}", interrupted, fmt::join(files, ", "));
}

}  // namespace

void write_text(const std::string& path, const std::string& text) {
  if (!path.empty()) return base::write_atomically(path, text);
  if (!put(STDOUT_FILENO, text))
    throw base::FileError(fmt::format("cannot write to standard output: {}", std::strerror(errno)));
}

void require_outputs(const Command& command) {
  const std::string& output = command.common.output;
  if (!output.empty()) base::require_writable(output);
  if (!command.html.empty() && command.html == output)
    throw std::invalid_argument(fmt::format("--output and --html need two different files, got '{}' for both", output));
  if (!command.html.empty()) base::require_writable(command.html);
}

void write(const Command& asked, view::Result result, const std::string& line) {
  Command command = asked;
  if (!result.interrupted.empty()) say(give_up_files(command, result.interrupted));
  const std::string path = result.page_path.empty() ? command.html : result.page_path;
  if (result.page && !path.empty()) {
    const std::string date = fmt::format("{:%Y-%m-%d}", fmt::localtime(std::time(nullptr)));
    view::write_page(std::move(*result.page), result.warnings, path, line, date);
    if (!result.names_page) result.note += (result.note.empty() ? "" : "\n") + ("Report: " + base::on_one_line(path));
  }
  const std::string text = formatted(command.common.format, result, line_width(command.common.output));
  write_text(command.common.output, text);
  if (command.common.quiet || shows_warnings(command.common.format, result)) return;
  // The first warning about an interrupted result is how far it came, which stands there already.
  const std::size_t said = result.interrupted.empty() ? 0 : 1;
  for (std::size_t i = said; i < result.warnings.size(); ++i) say(result.warnings[i]);
}

}  // namespace attnlaw::app
