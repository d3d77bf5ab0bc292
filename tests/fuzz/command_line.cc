/// The command line, one argument a line.
#include "../../app/command_line.h"

#include <vector>

#include "attnlaw/base/numbers.h"
#include "fuzz/targets.h"

namespace attnlaw::fuzz {

void command_line(std::string_view input) {
  // Arguments end at a zero byte, as those of a process do.
  std::vector<std::string> words{"attnlaw"};
  for (const std::string_view line : base::split(input, '\n')) words.emplace_back(line.substr(0, line.find('\0')));
  std::vector<const char*> arguments;
  for (const std::string& word : words) arguments.push_back(word.c_str());
  app::parse(static_cast<int>(arguments.size()), arguments.data());
}

}  // namespace attnlaw::fuzz
