#include "command_line.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>

#include "attnlaw/base/fields/text.h"

namespace attnlaw::app {
namespace {

using nlohmann::json;

/// Adds an option of a command; if it is given, its value goes into `options` under the name of its field.
void add_option(CLI::App& app, const operations::Option& option, json& options) {
  const base::Field& field = *option.field;
  const std::string name = base::option_name(field), help = base::help(field, *option.defaults);
  if (field.type.kind == base::Kind::flag) {
    app.add_flag_callback(
        name, [&options, &field] { options[field.name] = true; }, help);
    return;
  }
  if (field.about.positional && field.type.kind == base::Kind::list) {
    // All that is left of the arguments without a name.
    const auto take_all = [&options, &field](const std::vector<std::string>& texts) { options[field.name] = texts; };
    app.add_option_function<std::vector<std::string>>(name, take_all, help)->type_name(base::value_name(field));
    return;
  }
  const auto take = [&options, &field](const std::string& text) { options[field.name] = base::from_text(field, text); };
  app.add_option_function<std::string>(name, take, help)->type_name(base::value_name(field));
}

/// The option that was probably meant by one that there is not.
std::string meant(const CLI::App& command, const std::vector<std::string>& typed) {
  std::vector<std::string> names;
  for (const CLI::Option* option : command.get_options()) names.push_back(option->get_name());
  for (const std::string& word : typed)
    if (std::string hint = base::suggestion(word.substr(0, word.find('=')), names); !hint.empty()) return hint;
  return "";
}

/// The texts of CLI11 name surplus arguments last to first.
std::string surplus(const CLI::App& app) {
  const std::vector<std::string> extras = app.remaining(true);
  const auto commands = app.get_subcommands();
  return fmt::format("{} not expected: {}{}", extras.size() == 1 ? "this argument was" : "these arguments were",
                     fmt::join(extras, " "), commands.empty() ? "" : meant(*commands.front(), extras));
}

/// Names an option that was given more than once; empty if none was.
std::string repeated(const CLI::App& app) {
  for (const CLI::App* command : app.get_subcommands())
    for (const CLI::Option* option : command->get_options())
      if (option->count() > 1 && option->get_items_expected_max() == 1)
        return fmt::format("{} was given {} times, which takes one text: lists in it have commas", option->get_name(),
                           option->count());
  return "";
}

/// One operation as a subcommand, with what of it was given.
struct Subcommand {
  CLI::App* app = nullptr;
  const operations::Operation* operation = nullptr;
  json options = json::object(), common = json::object();

  void take(const operations::Options& all) {
    const base::Description& run = base::detail::description_of<operations::Run>();
    for (const operations::Option& option : all.own) add_option(*app, option, options);
    for (const operations::Option& option : all.common)
      add_option(*app, option, base::find_field(run, option.field->name) ? options : common);
  }
};

Command command_of(const Subcommand& given) {
  Command command{given.operation, given.options, {}, given.operation->about.page_path};
  if (const auto html = given.options.find("html"); given.operation->about.draws && html != given.options.end()) {
    command.html = html->get<std::string>();
    if (command.html.empty()) throw std::invalid_argument("--html takes a file name, got ''");
    command.options.erase("html");
  }
  base::read(given.common, command.common, "the options");
  if (given.common.contains("output") && command.common.output.empty())
    throw std::invalid_argument("--output takes a file name, got ''");
  return command;
}

}  // namespace

std::variant<Command, Help> parse(int argc, const char* const* argv) {
  CLI::App app("Exact high-dimensional laws of attention, beside finite-size experiments.", "attnlaw");
  app.footer("attnlaw COMMAND --help shows the options of a command with an example.");
  if (argc > 1 && argv[1][0] != '-') operations::find(argv[1]);
  // A second name of a command is an argument of the first, as in `manual solve`.
  app.require_subcommand(0, 1);
  // Options are bound by reference: the subcommands must not move.
  std::vector<Subcommand> subcommands(operations::all().size());
  for (std::size_t i = 0; i < subcommands.size(); ++i) {
    Subcommand& subcommand = subcommands[i];
    subcommand.operation = &operations::all()[i];
    const operations::About& about = subcommand.operation->about;
    subcommand.app = app.add_subcommand(about.name, about.summary);
    subcommand.app->footer(std::string("Example: ") + about.example);
    subcommand.take(operations::options_of(*subcommand.operation));
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
  } catch (const CLI::ArgumentMismatch& error) {
    const std::string option = repeated(app);
    throw hint(option.empty() ? error.what() : option);
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
