#pragma once
/// A progress bar with the time left, on a terminal only.

#include <chrono>
#include <string>

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

}  // namespace attnlaw::legacy
