#include "completion.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "commands.h"
#include "output.h"

namespace attnlaw::legacy {

std::string bash_completion(const std::map<std::string, std::vector<CompletionOption>>& commands) {
  std::vector<std::string> names;
  std::string cases;
  for (const auto& [command, options] : commands) {
    names.push_back(command);
    std::vector<std::string> words;
    for (const CompletionOption& option : options) {
      words.push_back(option.name);
      if (!option.choices.empty())
        cases += fmt::format("    {}:{}) words=\"{}\" ;;\n", command, option.name, fmt::join(option.choices, " "));
      else if (option.takes_file)
        cases += fmt::format("    {}:{}) COMPREPLY=($(compgen -f -- \"$current\")); return ;;\n", command, option.name);
    }
    cases += fmt::format("    {}:*) words=\"{}\" ;;\n", command, fmt::join(words, " "));
  }
  return fmt::format(R"(# bash completion of attnlaw, written by `attnlaw completion bash`
_attnlaw() {{
  local current=${{COMP_WORDS[COMP_CWORD]}} previous=${{COMP_WORDS[COMP_CWORD-1]}} words=""
  if [[ $COMP_CWORD -eq 1 ]]; then
    COMPREPLY=($(compgen -W "{} --help" -- "$current"))
    return
  fi
  case ${{COMP_WORDS[1]}}:$previous in
{}  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}}
complete -F _attnlaw attnlaw
)",
                     fmt::join(names, " "), cases);
}

int run(const CompletionArguments& arguments) {
  emit_text(arguments.common, arguments.script);
  return 0;
}

}  // namespace attnlaw::legacy
