#include "attnlaw/operations/command_figure.h"

#include <fmt/format.h>

#include "attnlaw/base/reject.h"
#include "attnlaw/base/toml.h"

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

/// Reads the keys of a table, and says where what it does not take stands.
class Reader {
 public:
  Reader(const TomlValue& table, const std::string& path, std::vector<std::string> accepted)
      : table_(table), path_(path) {
    if (!table.is_table()) fail(table, "a [[run]] is a table, got " + table.described());
    for (const base::TomlEntry& entry : table.entries) {
      try {
        base::require_known(entry.key, accepted, "a figure of commands");
      } catch (const std::invalid_argument& error) {
        fail(entry.value, error.what());
      }
    }
  }

  std::string text(const char* key) const {
    const TomlValue* value = table_.find(key);
    if (!value) return {};
    if (!value->is_scalar() || !value->scalar.is_string()) fail(*value, fmt::format("{} must be a text", key));
    return value->scalar.get<std::string>();
  }

  json table(const char* key) const {
    const TomlValue* value = table_.find(key);
    if (value && !value->is_table()) fail(*value, fmt::format("{} must be a table of options", key));
    return value ? json_of(*value) : json::object();
  }

  [[noreturn]] void fail(const TomlValue& at, const std::string& what) const {
    base::reject("{}:{}: {}", path_, at.line, what);
  }

 private:
  const TomlValue& table_;
  const std::string& path_;
};

CommandFigure::Part part_of(const TomlValue& run, const std::string& path, bool fast) {
  const Reader reader(run, path, {"command", "heading", "options", "fast"});
  CommandFigure::Part part{reader.text("command"), reader.text("heading"), reader.table("options")};
  if (fast) part.options.update(reader.table("fast"));
  try {
    if (!find(part.command).about.draws) reader.fail(run, fmt::format("'{}' draws nothing", part.command));
  } catch (const std::invalid_argument& error) {
    reader.fail(run, error.what());
  }
  return part;
}

}  // namespace

std::optional<CommandFigure> parse_command_figure(const std::string& text, const std::string& path, bool fast) {
  TomlValue document;
  try {
    document = base::parse_toml(text);
  } catch (const base::TomlError& error) {
    base::reject("{}:{}:{}: {}", path, error.line, error.column, error.what());
  }
  const TomlValue* runs = document.find("run");
  if (!runs) return std::nullopt;
  const Reader reader(document, path, {"title", "description", "run"});
  CommandFigure figure{reader.text("title"), reader.text("description"), {}};
  if (!runs->is_array()) reader.fail(*runs, "run must be a list of tables: [[run]]");
  for (const TomlValue& run : runs->items) figure.runs.push_back(part_of(run, path, fast));
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
