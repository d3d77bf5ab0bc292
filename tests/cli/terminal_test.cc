/// What the program shows on a terminal: progress, tables as wide as it.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pty.h>
#include <sys/wait.h>
#include <unistd.h>

#include <sstream>

#include "cli/program.h"

namespace attnlaw::test {
namespace {

using testing::HasSubstr;

/// Runs the program on a terminal of so many columns, and returns all that it writes there.
std::string on_terminal(const std::string& arguments, unsigned short columns) {
  winsize size{.ws_row = 40, .ws_col = columns, .ws_xpixel = 0, .ws_ypixel = 0};
  int terminal = -1;
  const pid_t child = forkpty(&terminal, nullptr, nullptr, &size);
  if (child == 0) {
    setenv("TERM", "xterm", 1);
    execl("/bin/sh", "sh", "-c", ("exec '" ATTNLAW_PROGRAM "' " + arguments).c_str(), nullptr);
    _exit(127);
  }
  std::string text;
  char buffer[4096];
  for (ssize_t count; (count = read(terminal, buffer, sizeof buffer)) > 0;)
    text.append(buffer, static_cast<std::size_t>(count));
  close(terminal);
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_EQ(status, 0) << text;
  return text;
}

std::size_t widest_line(const std::string& text) {
  std::istringstream lines(text);
  std::size_t widest = 0;
  for (std::string line; std::getline(lines, line);) {
    const auto width = std::count_if(line.begin(), line.end(), [](char c) { return (c & 0xC0) != 0x80 && c != '\r'; });
    widest = std::max(widest, static_cast<std::size_t>(width));
  }
  return widest;
}

TEST(Terminal, TablesAreNoWiderThanItIs) {
  const std::string arguments = "solve --quiet --head linear --alpha 0.5,1 --lambda 0.1 --noise 0.1";
  const std::string narrow = on_terminal(arguments, 60), wide = on_terminal(arguments, 200);
  EXPECT_LE(widest_line(narrow), 60u) << narrow;
  EXPECT_GT(widest_line(wide), 60u) << wide;
  // A pipe is a page of 80.
  EXPECT_LE(widest_line(attnlaw(arguments).out), 80u);
}

TEST(Terminal, EveryTableFitsAPage) {
  for (const char* arguments :
       {"version", "conventions", "figure --list", "thresholds --lambda 0.05 --quiet",
        "pooling --delta 0.5 --gamma 0.5 --mu2 1 --profile power:0.9,0.5 --length 16 --weights optimal",
        "lora --alpha-ft 4 --head linear --tokens 1 --e-pre 0.4"}) {
    const Outcome outcome = attnlaw(arguments);
    EXPECT_EQ(outcome.code, 0) << outcome.err;
    // Warnings, behind the tables, are sentences of any length.
    EXPECT_LE(widest_line(outcome.out.substr(0, outcome.out.find("\n\n", outcome.out.find("─")))), 80u) << outcome.out;
  }
  EXPECT_LE(widest_line(attnlaw("conventions").out), 80u);
}

TEST(Terminal, WhatIsSilentShowsThatItLives) {
  const std::string shown = on_terminal("solve --alpha 0.3 --lambda 0.05 --tokens 4 --accuracy 2e-4", 100);
  EXPECT_THAT(shown, testing::ContainsRegex("\rsolve \\.\\.\\. [0-9]+ s, about [0-9]+ s left"));
  EXPECT_EQ(on_terminal("solve --quiet --head linear --alpha 0.3 --lambda 0.05", 100).find("solve ..."),
            std::string::npos);
}

TEST(Terminal, WhatHasCountedNothingYetShowsThatItLives) {
  const std::string shown =
      on_terminal("simulate --alpha 2 --lambda 0.05 --tokens 4 --d 120 --instances 1 --accuracy 1e-2", 100);
  EXPECT_THAT(shown, testing::ContainsRegex("d = 120 \\.\\.\\. [0-9]")) << "the first instance has not ended";
}

}  // namespace
}  // namespace attnlaw::test
