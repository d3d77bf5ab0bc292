#include "attnlaw/operations/completion.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "attnlaw/base/fields/text.h"
#include "attnlaw/operations/common_options.h"

namespace attnlaw::operations {
namespace {

/// What follows one option of a command, as a line of a shell's case; empty if that is any text.
std::string case_of(const std::string& command, const base::Field& field) {
  const std::string option = base::option_name(field);
  if (!field.type.choices.empty())
    return fmt::format("    {}:{}) words=\"{}\" ;;\n", command, option, fmt::join(field.type.choices, " "));
  return field.about.value_name == "FILE" ? fmt::format("    {}:{}) ;;\n", command, option) : "";
}

std::string cases_of(const Operation& operation) {
  const std::string command = operation.about.name;
  std::string cases;
  std::vector<std::string> options_there, words;
  const auto add = [&](const Option& option) {
    const base::Field& field = *option.field;
    if (field.about.positional) {
      words.insert(words.end(), field.type.choices.begin(), field.type.choices.end());
    } else {
      options_there.push_back(base::option_name(field));
      cases += case_of(command, field);
    }
  };
  const Options options = options_of(operation);
  for (const Option& option : options.own) add(option);
  for (const Option& option : options.common) add(option);
  return cases + fmt::format("    {}:*) options=\"{}\" words=\"{}\" ;;\n", command, fmt::join(options_there, " "),
                             fmt::join(words, " "));
}

/// The text between single quotes of fish.
std::string fish_quoted(const std::string& text) {
  std::string quoted = "'";
  for (const char c : text) quoted += c == '\'' || c == '\\' ? std::string("\\") + c : std::string(1, c);
  return quoted + "'";
}

/// One option, or an argument without a name, of a command.
std::string fish_line(const std::string& command, const Option& option) {
  const base::Field& field = *option.field;
  std::string line = fmt::format("complete -c attnlaw -n '__fish_seen_subcommand_from {}'", command);
  const std::vector<std::string>& words = field.type.choices;
  const bool file = field.about.value_name == "FILE";
  if (!field.about.positional) line += fmt::format(" -l {}", base::option_name(field).substr(2));
  if (!words.empty()) line += fmt::format(" -a {}", fish_quoted(fmt::format("{}", fmt::join(words, " "))));
  if (!field.about.positional && field.type.kind != base::Kind::flag) line += file ? " -r -F" : " -x";
  return line + fmt::format(" -d {}\n", fish_quoted(base::help(field, *option.defaults)));
}

}  // namespace

std::string zsh_completion() {
  return "#compdef attnlaw\n# zsh completion of attnlaw, written by `attnlaw completion zsh`: that of bash\n"
         "autoload -Uz bashcompinit && bashcompinit\n" +
         bash_completion() +
         "# zsh reads this file at the first completion, and calls the function of then.\n"
         "[[ $funcstack[1] != _attnlaw ]] || _bash_complete -o default -F _attnlaw\n";
}

std::string fish_completion() {
  std::string lines = "# fish completion of attnlaw, written by `attnlaw completion fish`\n";
  lines +=
      "complete -c attnlaw -n '__fish_use_subcommand' -f -a help -d 'options of a command'\n"
      "complete -c attnlaw -n '__fish_seen_subcommand_from help' -f -a " +
      fish_quoted(fmt::format("{}", fmt::join(names(), " "))) + "\n";
  for (const Operation& operation : all())
    lines += fmt::format("complete -c attnlaw -n '__fish_use_subcommand' -f -a {} -d {}\n", operation.about.name,
                         fish_quoted(operation.about.summary));
  for (const Operation& operation : all()) {
    const Options options = options_of(operation);
    for (const auto* group : {&options.own, &options.common})
      for (const Option& option : *group) lines += fish_line(operation.about.name, option);
  }
  return lines;
}

std::string bash_completion() {
  std::string cases;
  for (const Operation& operation : all()) cases += cases_of(operation);
  return fmt::format(R"(# bash completion of attnlaw, written by `attnlaw completion bash`
_attnlaw() {{
  local current=${{COMP_WORDS[COMP_CWORD]}} previous=${{COMP_WORDS[COMP_CWORD-1]}} options="" words=""
  if [[ $COMP_CWORD -eq 1 ]]; then
    COMPREPLY=($(compgen -W "{0} help --help --version" -- "$current"))
    return
  fi
  case ${{COMP_WORDS[1]}}:$previous in
    help:help) words="{0}" ;;
{1}  esac
  [[ $current == -* ]] && words=$options
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}}
# Where no word fits, the names of files are offered.
complete -o default -F _attnlaw attnlaw
)",
                     fmt::join(names(), " "), cases);
}

}  // namespace attnlaw::operations
