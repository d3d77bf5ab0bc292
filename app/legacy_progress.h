#pragma once
/// A progress bar with the time left, on a terminal only.

#include <chrono>
#include <string>

#include "attnlaw/study/run/runner.h"

namespace attnlaw::legacy {

class Progress {
 public:
  /// Nothing is shown if standard error is no terminal or `quiet`.
  Progress(std::string label, bool quiet);
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  /// Clears the line.
  ~Progress();

  void update(int done, int total);

 private:
  std::string label_;
  bool visible_;
  std::chrono::steady_clock::time_point begin_;
};

/// How a study gets on: a bar on a terminal, a line every half minute otherwise.
class StudyProgress {
 public:
  StudyProgress(std::string label, bool quiet);
  StudyProgress(const StudyProgress&) = delete;
  StudyProgress& operator=(const StudyProgress&) = delete;
  /// Clears the line of a terminal.
  ~StudyProgress();

  void update(const study::RunProgress& progress);

 private:
  std::string label_;
  bool quiet_;
  bool terminal_;
  double next_line_;  ///< seconds of the run at which the next line is due
};

}  // namespace attnlaw::legacy
