#pragma once
/// Runs the program as a user does.

#include <sys/wait.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include "sanitized.h"
#include "scratch.h"

namespace attnlaw::test {

struct Outcome {
  int code = -1;
  std::string out;
  std::string err;
};

inline std::string slurp(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return std::move(text).str();
}

/// Returns the text as one word of a shell.
inline std::string quoted(const std::string& text) {
  std::string word = "'";
  for (const char c : text) word += c == '\'' ? "'\\''" : std::string(1, c);
  return word + "'";
}

/// Runs `shell_prefix attnlaw arguments` in a shell; standard output goes to `out` if one is given.
inline Outcome attnlaw(const std::string& arguments, const std::string& shell_prefix = "",
                       const std::string& out = "") {
  const Scratch scratch;
  const std::string stdout_path = out.empty() ? (scratch / "out").string() : out;
  const std::string command = shell_prefix + " '" ATTNLAW_PROGRAM "' " + arguments + " >'" + stdout_path + "' 2>'" +
                              (scratch / "err").string() + "'";
  const int status = std::system(command.c_str());
  return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, slurp(scratch / "out"), slurp(scratch / "err")};
}

}  // namespace attnlaw::test
