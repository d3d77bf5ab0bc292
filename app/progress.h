#pragma once
/// How an operation gets on: a bar with the time left on a terminal, without escape codes; of a study a line every half
/// minute where there is none, or one that cannot go back in a line (TERM=dumb).

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
  void show(const std::string& line);
  void update(const std::string& label, int done, int total);
  void update_study(const std::string& label, const study::RunProgress& progress);

  bool quiet_;
  bool terminal_;
  std::size_t width_ = 0;                        ///< bytes of the line that stands on the terminal
  std::string label_;                            ///< of the bar that stands there
  std::chrono::steady_clock::time_point begin_;  ///< when its label was new
  double next_line_;                             ///< seconds of a study at which its next line is due
};

}  // namespace attnlaw::app
