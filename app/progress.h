#pragma once
/// How an operation gets on: a bar with the time left on a terminal; of a study a line every half minute otherwise.

#include <chrono>
#include <string>

#include "attnlaw/operations/operation.h"

namespace attnlaw::app {

class Progress {
 public:
  /// Nothing is shown if `quiet`.
  explicit Progress(bool quiet);
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  /// Clears the line of a terminal.
  ~Progress() { clear(); }

  /// Lets a run report here; this must outlive it.
  void attach(operations::Run& run);
  void clear();

 private:
  void update(const std::string& label, int done, int total);
  void update_study(const std::string& label, const study::RunProgress& progress);

  bool quiet_;
  bool terminal_;
  bool shown_ = false;
  std::string label_;                            ///< of the bar that stands there
  std::chrono::steady_clock::time_point begin_;  ///< when its label was new
  double next_line_;                             ///< seconds of a study at which its next line is due
};

}  // namespace attnlaw::app
