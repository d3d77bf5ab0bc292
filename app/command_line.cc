#include "command_line.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>

#include "attnlaw/base/fields/text.h"

namespace attnlaw::app {
namespace {

using nlohmann::json;

/// The page of an operation that draws.
struct PageOptions {
  std::string html;
};

const base::Description& describe(const PageOptions*) {
  static const base::Description description{
      "the page of an operation",
      {base::field("html", &PageOptions::html, {.doc = "write a report with charts", .value_name = "FILE"})}};
  return description;
}

/// Adds an option for every field; those that are given go into `options` under the names of the fields.
void add_options(CLI::App& app, const base::Description& description, const json& defaults, json& options) {
  base::for_each_field(description, [&](const base::Field& field) {
    if (field.type.kind == base::Kind::flag) {
      app.add_flag_callback(
          base::option_name(field), [&options, &field] { options[field.name] = true; }, field.about.doc);
      return;
    }
    const auto take = [&options, &field](const std::string& text) {
      options[field.name] = base::from_text(field, text);
    };
    app.add_option_function<std::string>(base::option_name(field), take, base::help(field, defaults))
        ->type_name(base::value_name(field));
  });
}

/// The texts of CLI11 name surplus arguments last to first.
std::string surplus(const CLI::App& app) {
  const std::vector<std::string> extras = app.remaining(true);
  return fmt::format("{} not expected: {}", extras.size() == 1 ? "this argument was" : "these arguments were",
                     fmt::join(extras, " "));
}

/// One operation as a subcommand, with what of it was given.
struct Subcommand {
  CLI::App* app = nullptr;
  const operations::Operation* operation = nullptr;
  json options = json::object(), common = json::object(), page = json::object();
};

Command command_of(const Subcommand& given) {
  Command command{given.operation, given.options, {}, given.operation->about.page_path};
  base::read(given.common, command.common, "the options");
  if (given.common.contains("output") && command.common.output.empty())
    throw std::invalid_argument("--output takes a file name, got ''");
  for (const char* shared : {"seed", "threads"})
    if (given.common.contains(shared)) command.options[shared] = given.common[shared];
  if (given.page.contains("html")) command.html = given.page["html"];
  command.common.run.draw = !command.html.empty();
  return command;
}

}  // namespace

std::span<const base::Named<Format>> names_table(Format) {
  static constexpr base::Named<Format> kFormats[] = {
      {Format::table, "table"}, {Format::json, "json"}, {Format::csv, "csv"}};
  return kFormats;
}

const base::Description& describe(const Common*) {
  static const base::Description description{
      "options that every command takes",
      {base::field("format", &Common::format, {.doc = "form of the result"}),
       base::field("output", &Common::output,
                   {.doc = "write the result to FILE, whole or not at all", .value_name = "FILE"}),
       base::flat(&Common::run), base::field("quiet", &Common::quiet, {.doc = "no progress bar"})}};
  return description;
}

std::variant<Command, Help> parse(int argc, const char* const* argv) {
  CLI::App app("Exact high-dimensional laws of attention, beside finite-size experiments.", "attnlaw");
  app.footer("attnlaw COMMAND --help shows the options of a command with an example.");
  if (argc > 1 && argv[1][0] != '-') operations::find(argv[1]);
  // Options are bound by reference: the subcommands must not move.
  std::vector<Subcommand> subcommands(operations::all().size());
  for (std::size_t i = 0; i < subcommands.size(); ++i) {
    Subcommand& subcommand = subcommands[i];
    subcommand.operation = &operations::all()[i];
    const operations::About& about = subcommand.operation->about;
    subcommand.app = app.add_subcommand(about.name, about.summary);
    subcommand.app->footer(std::string("Example: ") + about.example);
    add_options(*subcommand.app, subcommand.operation->input(), subcommand.operation->defaults, subcommand.options);
    if (about.draws)
      add_options(*subcommand.app, base::detail::description_of<PageOptions>(),
                  base::json_of(PageOptions{about.page_path}), subcommand.page);
    add_options(*subcommand.app, base::detail::description_of<Common>(), base::json_of(Common{}), subcommand.common);
  }
  const auto hint = [](const std::string& text) {
    return std::invalid_argument(text + " (attnlaw --help lists commands and options)");
  };
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    const auto parsed = app.get_subcommands();
    return Help{parsed.empty() ? app.help() : parsed.front()->help("attnlaw")};
  } catch (const CLI::ExtrasError&) {
    throw hint(surplus(app));
  } catch (const CLI::ParseError& error) {
    throw hint(error.what());
  }
  for (const Subcommand& subcommand : subcommands)
    if (subcommand.app->parsed()) return command_of(subcommand);
  if (argc <= 1) return Help{app.help()};
  throw hint("no command given");
}

std::string typed(int argc, const char* const* argv) {
  std::string line = "attnlaw";
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    const bool plain = !word.empty() && word.find_first_not_of(
                                            "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+=:,./") ==
                                            std::string::npos;
    std::string quoted = "'";
    for (const char c : word) quoted += c == '\'' ? "'\\''" : std::string(1, c);
    line += " " + (plain ? word : quoted + "'");
  }
  return line;
}

}  // namespace attnlaw::app
