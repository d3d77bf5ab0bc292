#include "attnlaw/operations/text.h"

#include <algorithm>

#include "attnlaw/base/fields/schema.h"
#include "attnlaw/base/numbers.h"
#include "attnlaw/operations/common_options.h"
#include "attnlaw/operations/completion.h"
#include "attnlaw/operations/manual.h"
#include "attnlaw/study/file/keys.h"
#include "conventions_text.h"

namespace attnlaw::operations {
namespace {

view::Result show_text(const Text& output) { return {.text = output.text}; }

/// Where the words of a line begin that explains a term: after the blanks behind the term, or in front of the line.
std::size_t words_of_line(std::string_view line) {
  constexpr std::size_t kMostIndent = 30;
  const std::size_t term = std::min(line.find_first_not_of(' '), line.size());
  const std::size_t gap = line.find("  ", term);
  const std::size_t words = gap == std::string_view::npos ? gap : line.find_first_not_of(' ', gap);
  return words < kMostIndent ? words : term;
}

/// The text with lines as long as a page is wide.
std::string on_page(std::string_view text) {
  constexpr std::size_t kPage = 80;
  std::string page;
  for (const std::string_view line : base::split(text, '\n')) {
    for (const std::string& part : report::wrapped(line, kPage, words_of_line(line))) page += part + "\n";
  }
  if (!text.empty()) page.pop_back();
  return page;
}

}  // namespace

const base::Description& describe(const Text*) {
  static const base::Description description{"a text", {base::field("text", &Text::text, {.doc = "the text itself"})}};
  return description;
}

Text Conventions::run(const Input&, const Run&) { return {kConventions}; }
view::Result Conventions::show(const Output& output, const Run&) {
  return {.rows = report::Table{"", {{"text"}}, {{output.text}}}, .text = on_page(output.text)};
}

std::span<const base::Named<Shell>> names_table(Shell) {
  static constexpr base::Named<Shell> kShells[] = {{Shell::bash, "bash"}, {Shell::zsh, "zsh"}, {Shell::fish, "fish"}};
  return kShells;
}

const base::Description& describe(const Completion::Input*) {
  static const base::Description description{
      "the shell",
      {base::field("shell", &Completion::Input::shell, {.doc = "whose completion it is", .positional = true})}};
  return description;
}
Text Completion::run(const Input& input, const Run&) {
  if (input.shell == Shell::fish) return {fish_completion()};
  return {input.shell == Shell::zsh ? zsh_completion() : bash_completion()};
}
view::Result Completion::show(const Output& output, const Run&) { return show_text(output); }

const base::Description& describe(const Schema::Output*) {
  using O = Schema::Output;
  static const base::Description description{
      "every command with its options and results",
      {base::field("operations", &O::operations,
                   {.doc = "a list of name, summary, example, options and result of every command"}),
       base::field("common", &O::common, {.doc = "the options that every command takes"}),
       base::field("study", &O::study, {.doc = "the keys of study files, table by table"})}};
  return description;
}

Schema::Output Schema::run(const Input&, const Run&) {
  Output output{nlohmann::json::array(),
                base::schema_of(base::detail::description_of<SharedOptions>(), base::json_of(SharedOptions{})),
                study::schema_of_files()};
  for (const Operation& operation : all())
    output.operations.push_back({{"name", operation.about.name},
                                 {"summary", operation.about.summary},
                                 {"example", operation.about.example},
                                 {"draws", operation.about.draws},
                                 {"curves", operation.about.curves},
                                 {"options", base::schema_of(operation.input(), operation.defaults)},
                                 {"result", base::schema_of(operation.output(), nlohmann::json())}});
  return output;
}

view::Result Schema::show(const Output&, const Run&) {
  return {.document_alone = "schema is one JSON document: --format csv is not for it"};
}

const base::Description& describe(const Manual::Input*) {
  using I = Manual::Input;
  static const base::Description description{
      "the command that a page is about",
      {base::field(
           "command", &I::command,
           {.doc = "a command; the page of the program without one", .value_name = "COMMAND", .positional = true})
           .words(names()),
       base::field("directory", &I::directory,
                   {.doc = "write the pages of the program and of every command into DIR", .value_name = "DIR"})}};
  return description;
}

Text Manual::run(const Input& input, const Run&) {
  refuse(!input.directory.empty() && !input.command.empty(),
         "--directory writes the pages of all commands: leave out the command");
  if (!input.directory.empty()) return {write_manual(input.directory)};
  return {input.command.empty() ? manual_page() : manual_page(find(input.command))};
}
view::Result Manual::show(const Output& output, const Run&) { return show_text(output); }

}  // namespace attnlaw::operations
