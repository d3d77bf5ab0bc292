#include "attnlaw/operations/command_figure.h"

#include <fmt/format.h>

#include "attnlaw/base/reject.h"
#include "attnlaw/base/toml.h"
#include "attnlaw/study/file/reading.h"

namespace attnlaw::operations {
namespace {

using base::TomlValue;
using nlohmann::json;

json json_of(const TomlValue& value) {
  if (value.is_scalar()) return value.scalar;
  json result = value.is_array() ? json::array() : json::object();
  for (const TomlValue& item : value.items) result.push_back(json_of(item));
  for (const base::TomlEntry& entry : value.entries) result[entry.key] = json_of(entry.value);
  return result;
}

/// A table of the file, with the keys that it may have.
class Reader {
 public:
  Reader(const study::SourceFile& file, const TomlValue& table, const std::vector<std::string>& accepted)
      : file_(file), table_(table) {
    if (!table.is_table()) file.reject(table.line, "a [[run]] is a table, got {}", table.described());
    study::require_keys(file, table, "a figure of commands", accepted);
  }

  std::string text(const char* key) const {
    const TomlValue* value = table_.find(key);
    if (!value) return {};
    if (!value->is_scalar() || !value->scalar.is_string()) file_.reject(value->line, "{} must be a text", key);
    return value->scalar.get<std::string>();
  }

  json table(const char* key) const {
    const TomlValue* value = table_.find(key);
    if (value && !value->is_table()) file_.reject(value->line, "{} must be a table of options", key);
    return value ? json_of(*value) : json::object();
  }

 private:
  const study::SourceFile& file_;
  const TomlValue& table_;
};

CommandFigure::Part part_of(const study::SourceFile& file, const TomlValue& run, bool fast) {
  const Reader reader(file, run, {"command", "heading", "options", "fast"});
  CommandFigure::Part part{reader.text("command"), reader.text("heading"), reader.table("options")};
  if (fast) part.options.update(reader.table("fast"));
  file.placed(run.line, "", [&] {
    if (!find(part.command).about.draws) base::reject("'{}' draws nothing", part.command);
  });
  return part;
}

}  // namespace

std::optional<CommandFigure> parse_command_figure(const std::string& text, const std::string& path, bool fast) {
  const study::SourceFile file{path};
  const TomlValue document = study::parse_document(file, text);
  const TomlValue* runs = document.find("run");
  if (!runs) return std::nullopt;
  const Reader reader(file, document, {"title", "description", "run"});
  CommandFigure figure{reader.text("title"), reader.text("description"), {}};
  if (!runs->is_array()) file.reject(runs->line, "run must be a list of tables: [[run]]");
  for (const TomlValue& run : runs->items) figure.runs.push_back(part_of(file, run, fast));
  return figure;
}

DrawnCommands draw(const CommandFigure& figure, Run run) {
  run.draw = true;
  DrawnCommands drawn{{figure.title, figure.description, {}}, {}, true};
  for (const CommandFigure::Part& part : figure.runs) {
    view::Result result = find(part.command).run(part.options, run);
    drawn.converged = drawn.converged && result.converged;
    for (const std::string& line : result.warnings)
      drawn.warnings.push_back(part.heading.empty() ? line : part.heading + ": " + line);
    if (!result.page) base::reject("{} with these options draws nothing", part.command);
    std::vector<report::Section>& sections = result.page->sections;
    if (!sections.empty()) {
      report::Section& first = sections.front();
      if (!part.heading.empty()) first.heading = part.heading;
      first.text = result.page->lead + (first.text.empty() ? "" : "\n\n" + first.text);
    }
    for (report::Section& section : sections) drawn.page.sections.push_back(std::move(section));
  }
  return drawn;
}

}  // namespace attnlaw::operations
