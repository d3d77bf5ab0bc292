#include "command_line.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cctype>

#include "attnlaw/base/build.h"
#include "attnlaw/base/fields/text.h"
#include "attnlaw/base/numbers.h"

namespace attnlaw::app {
namespace {

using nlohmann::json;

constexpr const char* kSeveralValues =
    "[,...]: one value, several (0.1,0.3,1; tied,direct) or FROM:TO:N[:log] (0.05:2:40:log; wishart:0.1:1:10 for the "
    "target), which make a curve.\n";

/// Adds an option of a command; if it is given, its value goes into `options` under the name of its field.
CLI::Option* add_option(CLI::App& app, const operations::Option& option, json& options) {
  const base::Field& field = *option.field;
  const std::string name = (field.name == "output" ? "-o," : "") + base::option_name(field),
                    help = base::help(field, *option.defaults);
  if (field.type.kind == base::Kind::flag) {
    return app.add_flag_callback(
        name, [&options, &field] { options[field.name] = true; }, help);
  }
  if (field.about.positional && field.type.kind == base::Kind::list) {
    // All that is left of the arguments without a name.
    const auto take_all = [&options, &field](const std::vector<std::string>& texts) { options[field.name] = texts; };
    return app.add_option_function<std::vector<std::string>>(name, take_all, help)->type_name(base::value_name(field));
  }
  const auto take = [&options, option](const std::string& text) { options[option.field->name] = option.value(text); };
  return app.add_option_function<std::string>(name, take, help)->type_name(option.value_name());
}

/// The option whose name begins like the last word of one that there is not: --directory for --output-dir.
std::string related(const std::string& typed, const std::vector<std::string>& names) {
  constexpr std::size_t kLeastLetters = 3;
  if (!typed.starts_with("--")) return "";
  const std::string last = typed.substr(typed.rfind('-') + 1);
  if (last.size() < kLeastLetters) return "";
  for (const std::string& name : names)
    if (name.find("-" + last) != std::string::npos) return fmt::format("; did you mean '{}'?", name);
  return "";
}

/// The option that was probably meant by one that there is not.
std::string meant(const CLI::App& command, const std::vector<std::string>& typed) {
  std::vector<std::string> names;
  // Options that are not listed have no name here.
  for (const CLI::Option* option : command.get_options())
    if (std::string name = option->get_name(); !name.empty()) names.push_back(std::move(name));
  for (const std::string& word : typed)
    if (std::string hint = base::suggestion(word.substr(0, word.find('=')), names); !hint.empty()) return hint;
  for (const std::string& word : typed)
    if (std::string hint = related(word.substr(0, word.find('=')), names); !hint.empty()) return hint;
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
        return fmt::format("{} was given {} times, which takes one text: lists in it have commas",
                           option->get_lnames().empty() ? option->get_name() : "--" + option->get_lnames().front(),
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
    const auto add_shared = [&](const operations::Option& option) {
      return add_option(*app, option, base::find_field(run, option.field->name) ? options : common);
    };
    for (const operations::Option& option : all.common) add_shared(option);
    // An option without a group is accepted, but not listed.
    for (const operations::Option& option : all.idle) add_shared(option)->group("");
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
  app.set_version_flag("--version", "attnlaw " + base::build().attnlaw);
  // `attnlaw help solve` is `attnlaw solve --help`.
  const bool help = argc > 1 && std::string_view(argv[1]) == "help";
  const char* const asked[] = {argv[0], help && argc > 2 ? argv[2] : "--help", "--help"};
  if (help && argc > 3)
    throw std::invalid_argument(fmt::format("help takes the name of one command, got '{}' beside it", argv[3]));
  if (help) argc = argc > 2 ? 3 : 2, argv = asked;
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
    const std::string unread = operations::unread_text(*subcommand.operation);
    subcommand.app->footer(std::string(about.curves ? kSeveralValues : "") + unread + (unread.empty() ? "" : "\n") +
                           "Example: " + about.example);
    subcommand.take(operations::options_of(*subcommand.operation));
  }
  const auto hint = [&](const std::string& text) {
    const auto commands = app.get_subcommands();
    return std::invalid_argument(
        commands.empty() ? text + " (attnlaw --help lists commands)"
                         : fmt::format("{} (attnlaw {} --help lists its options)", text, commands.front()->get_name()));
  };
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForVersion& version) {
    return Help{std::string(version.what()) + "\n"};
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

std::string comma_hint(int argc, const char* const* argv, const std::string& message) {
  const auto is_digits = [](std::string_view text) {
    return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
  };
  const auto names = [&](const std::string& name) {
    const auto is_part = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; };
    for (std::size_t i = message.find(name); i != std::string::npos; i = message.find(name, i + 1)) {
      const std::size_t end = i + name.size();
      if ((i == 0 || !is_part(message[i - 1])) && (end == message.size() || !is_part(message[end]))) return true;
    }
    return false;
  };
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i], option = word.substr(0, word.find('='));
    const std::string text = option != word ? word.substr(option.size() + 1) : i + 1 < argc ? argv[i + 1] : "";
    const std::vector<std::string_view> parts = base::split(text, ',');
    if (!option.starts_with("--") || parts.size() != 2 || !is_digits(parts[0]) || !is_digits(parts[1])) continue;
    std::string name = option.substr(2);
    const bool dashed = names(name);
    std::replace(name.begin(), name.end(), '-', '_');
    if (dashed || names(name))
      return fmt::format("; {} {} is a list of two values: decimals have a point", option, text);
  }
  return "";
}

std::string typed(int argc, const char* const* argv) {
  std::string line = "attnlaw";
  for (int i = 1; i < argc; ++i) line += " " + base::shell_word(argv[i]);
  return line;
}

}  // namespace attnlaw::app
