#pragma once
/// Operations that print a text: `conventions`, `completion`, `schema`, `manual`.

#include "attnlaw/operations/operation.h"

namespace attnlaw::operations {

/// What these operations find.
struct Text {
  std::string text;
};
const base::Description& describe(const Text*);

struct Conventions {
  using Input = Nothing;
  using Output = Text;
  static constexpr About about{"conventions", "the normalisation of everything that is computed",
                               "attnlaw conventions"};
  static constexpr bool threaded = false;

  static Output run(const Input& input, const Run& run);
  static view::Result show(const Output& output, const Run& run);
};

enum class Shell { bash, zsh, fish };
std::span<const base::Named<Shell>> names_table(Shell);

struct Completion {
  struct Input {
    Shell shell = Shell::bash;
  };
  using Output = Text;
  static constexpr About about{"completion", "completion script for a shell",
                               "attnlaw completion bash > ~/.local/share/bash-completion/completions/attnlaw"};
  static constexpr bool threaded = false;

  static Output run(const Input& input, const Run& run);
  static view::Result show(const Output& output, const Run& run);
};
const base::Description& describe(const Completion::Input*);

struct Schema {
  using Input = Nothing;
  struct Output {
    nlohmann::json operations, common, study;
  };
  static constexpr About about{"schema", "every command with its options and results, as one JSON document",
                               "attnlaw schema --output schema.json"};
  static constexpr bool threaded = false;

  static Output run(const Input& input, const Run& run);
  static view::Result show(const Output& output, const Run& run);
};
const base::Description& describe(const Schema::Output*);

struct Manual {
  struct Input {
    std::string command;    ///< empty: of the program
    std::string directory;  ///< empty: the page is printed
  };
  using Output = Text;
  static constexpr About about{"manual", "manual pages", "attnlaw manual solve | man -l -"};
  static constexpr bool threaded = false;

  static Output run(const Input& input, const Run& run);
  static view::Result show(const Output& output, const Run& run);
};
const base::Description& describe(const Manual::Input*);

}  // namespace attnlaw::operations
