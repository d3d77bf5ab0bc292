#pragma once
/// Where results go: standard output or a whole file, and what a report says about its making.

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "arguments.h"
#include "attnlaw/report/page.h"
#include "attnlaw/report/table.h"
#include "attnlaw/view/warnings.h"

namespace attnlaw::legacy {

using view::Warnings;

/// What a command has to say, in each of the formats.
struct Result {
  std::vector<report::Table> tables;  ///< for people
  nlohmann::json document;            ///< for programs
  report::Table rows;                 ///< the CSV: one record per row
  Warnings warnings = {};             ///< under the tables, and `warnings` of the document
  std::string note = {};              ///< printed last
};

/// Fails early: throws base::FileError unless the files a command will write at its end can be written.
void require_outputs(const Common& common, const std::string& html = {});

/// Prints the result in the format asked for, or writes it atomically to common.output.
void emit(const Common& common, Result result);
void emit_text(const Common& common, const std::string& text);

/// Writes a page atomically, adding warnings, the command that makes it again, version and date.
void write_page(const std::string& path, report::Page page, const Warnings& warnings);

/// "Report: FILE", or nothing if none was asked for.
std::string report_note(const std::string& html);

void remember_command_line(std::string command);
std::string version();

}  // namespace attnlaw::legacy
