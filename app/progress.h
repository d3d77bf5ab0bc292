#pragma once
/// How an operation gets on: a bar with the time left on a terminal, without escape codes, and the time that has passed
/// of what cannot say (yet) how far it is; a line a minute where there is none, or one that cannot go back in a line
/// (TERM=dumb). Only a terminal has a thread for it: a job on one processor is one thread.

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>

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

  /// Lets a run report here, which the line calls `command` while it says nothing; this must outlive it. A process has
  /// one such at a time.
  void attach(operations::Run& run, const std::string& command);
  /// Ends the reports.
  void clear();

 private:
  void show(const std::string& line);
  void clear_line();
  /// Writes a message of its own, above the line of a terminal.
  void note(const std::string& text);
  /// Shows on a terminal the time that has passed, once a second, while nothing is counted.
  void tick(const std::stop_token& stop);
  /// What is waited for from here on; empty: something is counted.
  void wait_for(const std::string& what);
  /// Writes a line over the one on the terminal; without one, if its minute has passed.
  void write(const std::string& line);
  /// The time that has passed, and what is expected to be left of it.
  std::string passed() const;
  /// Something begins that counts nothing and takes about so long.
  void expect(const std::string& label, double seconds);
  /// What goes on from here has this label.
  void begin(const std::string& label);
  void update(const std::string& label, int done, int total);
  void update_study(const std::string& label, const study::RunProgress& progress);

  bool quiet_;
  bool terminal_;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
  std::mutex mutex_;                                      ///< guards all below
  std::string waiting_;                                   ///< as wait_for() was told
  std::size_t width_ = 0;                                 ///< bytes of the line that stands on the terminal
  std::string label_;                                     ///< of the bar that stands there
  std::chrono::steady_clock::time_point begin_ = start_;  ///< when its label was new
  double expected_ = 0;                                   ///< seconds that it takes; 0: unknown
  double next_line_;                                      ///< seconds since the start at which the next line is due
  std::condition_variable_any woken_;
  std::jthread ticker_;
};

}  // namespace attnlaw::app
