#pragma once
/// Bash completion, made from the options that the program parses.

#include <map>
#include <string>
#include <vector>

namespace attnlaw::legacy {

struct CompletionOption {
  std::string name;                  ///< with its dashes
  std::vector<std::string> choices;  ///< accepted words, if there are few
  bool takes_file = false;
};

/// The script for `complete`; one entry per command.
std::string bash_completion(const std::map<std::string, std::vector<CompletionOption>>& commands);

}  // namespace attnlaw::legacy
