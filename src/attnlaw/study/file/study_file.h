#pragma once
/// Study files: TOML that describes a Study (docs/guide/studies.md).

#include <string>

#include "attnlaw/study/study.h"

namespace attnlaw::study {

struct StudyFileOptions {
  bool fast = false;  ///< with the overrides of the `fast` tables
  /// More tasks than this are refused as a probable mistake.
  std::size_t most_tasks = 100000;
};

/// More tasks than StudyFileOptions::most_tasks; the message says how many, and which axes make them.
struct TooManyTasks : std::invalid_argument {
  using std::invalid_argument::invalid_argument;
};

/// `path` names the file in messages and is where `file:` targets are looked for. Throws std::invalid_argument with
/// "path:line: message" for anything that is wrong with it: syntax, unknown keys, values out of range, unknown or
/// cyclic references, experiments that cannot be run. Too little memory is no fault of the file, which may be meant for
/// another machine: Cost::bytes tells.
Study parse_study(const std::string& text, const std::string& path, const StudyFileOptions& options = {});

/// Throws base::FileError if the file cannot be read, and what parse_study throws.
Study read_study(const std::string& path, const StudyFileOptions& options = {});

}  // namespace attnlaw::study
