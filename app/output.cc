#include "output.h"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "attnlaw/base/file.h"
#include "commands.h"

namespace attnlaw::legacy {
namespace {

std::string& remembered_command() {
  static std::string command;
  return command;
}

constexpr int kIndent = 2;

std::string format_result(Format format, const Result& result) {
  if (format == Format::json) return result.document.dump(kIndent) + "\n";
  if (format == Format::csv) return report::csv(result.rows);
  std::string text;
  for (const report::Table& table : result.tables) text += (text.empty() ? "" : "\n") + report::text(table);
  if (!result.warnings.empty()) text += "\n";
  for (const std::string& warning : result.warnings) text += warning + "\n";
  if (!result.note.empty()) text += "\n" + result.note + "\n";
  return text;
}

}  // namespace

void require_outputs(const Common& common, const std::string& html) {
  if (!common.output.empty()) base::require_writable(common.output);
  if (!html.empty() && html == common.output)
    throw std::invalid_argument(fmt::format("--output and --html need two different files, got '{}' for both", html));
  if (!html.empty()) base::require_writable(html);
}

void emit(const Common& common, Result result) {
  if (!common.unread.empty())
    result.warnings.push_back(fmt::format("Without effect here: {}.", fmt::join(common.unread, ", ")));
  result.document["warnings"] = result.warnings;
  emit_text(common, format_result(common.format, result));
}

void emit_text(const Common& common, const std::string& text) {
  if (!common.output.empty()) {
    base::write_atomically(common.output, text);
    return;
  }
  if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size() || std::fflush(stdout) != 0)
    throw base::FileError(fmt::format("cannot write to standard output: {}", std::strerror(errno)));
}

void write_page(const std::string& path, report::Page page, const Warnings& warnings) {
  if (!warnings.empty()) page.sections.push_back({"Warnings", fmt::format("{}", fmt::join(warnings, "\n\n"))});
  page.command = remembered_command();
  page.version = version();
  page.date = fmt::format("{:%Y-%m-%d}", fmt::localtime(std::time(nullptr)));
  base::write_atomically(path, report::html(page));
}

std::string report_note(const std::string& html) { return html.empty() ? "" : "Report: " + html; }

void remember_command_line(std::string command) { remembered_command() = std::move(command); }

std::string version() { return ATTNLAW_VERSION; }

int run(const Help& help) {
  emit_text({}, help.text);
  return 0;
}

}  // namespace attnlaw::legacy
