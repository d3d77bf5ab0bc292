#include "attnlaw/operations/manual.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "attnlaw/base/build.h"
#include "attnlaw/base/fields/text.h"
#include "attnlaw/base/file.h"
#include "attnlaw/operations/common_options.h"

namespace attnlaw::operations {
namespace {

/// Text as troff reads it: dashes are those of options, and no line begins with a request.
std::string escaped(std::string_view text) {
  std::string result;
  for (const char c : text) {
    if (c == '\\')
      result += "\\e";
    else if (c == '-')
      result += "\\-";
    else
      result += c;
  }
  return result.starts_with('.') || result.starts_with('\'') ? "\\&" + result : result;
}

std::string head(const std::string& page, const std::string& summary) {
  std::string title = page;
  std::transform(title.begin(), title.end(), title.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return fmt::format(".TH {} 1 \"\" \"attnlaw {}\"\n.SH NAME\n{} \\- {}\n", escaped(title), base::build().attnlaw,
                     escaped(page), escaped(summary));
}

std::string entry(const std::string& term, std::string_view text) {
  return ".TP\n" + term + "\n" + escaped(text) + "\n";
}

std::string options_text(const std::vector<Option>& options) {
  std::string text;
  for (const Option& option : options) {
    const base::Field* field = option.field;
    const std::string value = option.value_name();
    std::string term = fmt::format("\\fB{}\\fR", escaped(base::option_name(*field)));
    if (field->about.positional)
      term = fmt::format("\\fI{}\\fR", escaped(value));
    else if (!value.empty())
      term += fmt::format(" \\fI{}\\fR", escaped(value));
    text += entry(term, base::help(*field, *option.defaults));
  }
  return text;
}

/// The fields of a document, those of objects inside after a dot.
std::string results_text(const base::Description& description, const std::string& prefix) {
  std::string text;
  base::for_each_field(description, [&](const base::Field& field) {
    const std::string name = prefix + field.name;
    if (!field.about.doc.empty()) text += entry(fmt::format("\\fB{}\\fR", escaped(name)), field.about.doc);
    if (field.type.kind == base::Kind::object && field.type.object && field.name != "problem")
      text += results_text(field.type.object(), name + ".");
  });
  return text;
}

constexpr const char* kExit =
    ".SH EXIT STATUS\n0: fine. 1: something failed, or the figures did not converge (they are printed all the same). "
    "2: "
    "an option or a file is not as it must be.\n";

}  // namespace

std::string manual_page() {
  std::string text = head("attnlaw", "exact high-dimensional laws of attention, beside finite-size experiments");
  text += ".SH SYNOPSIS\n\\fBattnlaw\\fR \\fICOMMAND\\fR [\\fIOPTIONS\\fR]\n.SH COMMANDS\n";
  for (const Operation& operation : all())
    text += entry(fmt::format("\\fB{}\\fR", escaped(operation.about.name)), operation.about.summary);
  text += ".SH OPTIONS OF EVERY COMMAND\n" + options_text(shared_options()) + kExit;
  return text + ".SH SEE ALSO\nattnlaw\\-COMMAND(1) for each command\n";
}

std::string manual_page(const Operation& operation) {
  const std::string name = operation.about.name;
  std::string text = head("attnlaw-" + name, operation.about.summary);
  text += fmt::format(".SH SYNOPSIS\n\\fBattnlaw {}\\fR [\\fIOPTIONS\\fR]\n", escaped(name));
  const Options options = options_of(operation);
  if (!options.own.empty()) text += ".SH OPTIONS\n" + options_text(options.own);
  text += ".SH OPTIONS OF EVERY COMMAND\n" + options_text(options.common);
  if (const std::string unread = unread_text(operation); !unread.empty()) text += ".PP\n" + escaped(unread) + "\n";
  text +=
      ".SH RESULT\nThe fields of the document that \\-\\-format json prints.\n" + results_text(operation.output(), "");
  text += fmt::format(".SH EXAMPLE\n.nf\n{}\n.fi\n", escaped(operation.about.example)) + kExit;
  return text + ".SH SEE ALSO\nattnlaw(1)\n";
}

std::string write_manual(const std::string& directory) {
  make_directory(directory);
  std::string written;
  const auto write = [&](const std::string& name, const std::string& page) {
    const std::string path = std::filesystem::path(directory) / (name + ".1");
    base::write_atomically(path, page);
    written += path + "\n";
  };
  write("attnlaw", manual_page());
  for (const Operation& operation : all())
    write(fmt::format("attnlaw-{}", operation.about.name), manual_page(operation));
  return written;
}

}  // namespace attnlaw::operations
