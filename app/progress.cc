#include "progress.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cmath>
#include <cstdlib>
#include <string_view>

#include "attnlaw/view/columns.h"
#include "standard_streams.h"

namespace attnlaw::app {
namespace {

using Clock = std::chrono::steady_clock;

/// Seconds between the lines that stand for a bar where there is no terminal.
constexpr double kLineInterval = 60;

double seconds_since(Clock::time_point begin) { return std::chrono::duration<double>(Clock::now() - begin).count(); }

/// Tells whether standard error is a terminal on which a line can be written over.
bool can_move_back() {
  const char* terminal = std::getenv("TERM");
  return isatty(STDERR_FILENO) && terminal && *terminal && std::string_view(terminal) != "dumb";
}

std::string bar(std::size_t done, std::size_t total) {
  constexpr std::size_t kWidth = 24;
  const std::size_t filled = total == 0 ? kWidth : kWidth * done / total;
  return fmt::format("[{:=<{}}{: <{}}] {}/{}", "", filled, "", kWidth - filled, done, total);
}

}  // namespace

Progress::Progress(bool quiet) : quiet_(quiet), terminal_(can_move_back()), next_line_(kLineInterval) {}

void Progress::attach(operations::Run& run, const std::string& command) {
  if (quiet_) return;
  run.study_progress = [this](const std::string& label, const study::RunProgress& progress) {
    update_study(label, progress);
  };
  run.progress = [this](const std::string& label, int done, int total) { update(label, done, total); };
  if (terminal_) ticker_ = std::jthread([this, command](const std::stop_token& stop) { tick(stop, command); });
}

void Progress::clear() {
  if (ticker_.joinable()) {
    ticker_.request_stop();
    ticker_.join();
  }
  const std::lock_guard lock(mutex_);
  if (width_ == 0) return;
  show("");
  put("\r");
}

void Progress::tick(const std::stop_token& stop, const std::string& command) {
  constexpr std::chrono::seconds kInterval{1};
  std::unique_lock lock(mutex_);
  while (!woken_.wait_for(lock, stop, kInterval, [&] { return stop.stop_requested(); }) && silent_)
    show(fmt::format("{} ... {}", command, view::duration(seconds_since(start_))));
}

void Progress::update(const std::string& label, int done, int total) {
  const std::lock_guard lock(mutex_);
  silent_ = false;
  if (label != label_) label_ = label, begin_ = Clock::now();
  if (!terminal_ && seconds_since(start_) < next_line_) return;
  next_line_ = seconds_since(start_) + kLineInterval;
  std::string line = label + " ...";
  if (done > 0)
    line = fmt::format("{} {}, {} left", label, bar(static_cast<std::size_t>(done), static_cast<std::size_t>(total)),
                       view::duration(seconds_since(begin_) / done * (total - done)));
  if (terminal_)
    show(line);
  else
    put(line + "\n");
}

/// The line that stood there is painted over with blanks, so that no terminal needs to know an escape code.
void Progress::show(const std::string& line) {
  if (!line.empty() || width_ > 0) put(fmt::format("\r{: <{}}", line, width_));
  width_ = line.size();
}

void Progress::update_study(const std::string& label, const study::RunProgress& progress) {
  const std::lock_guard lock(mutex_);
  silent_ = false;
  if (!terminal_ && progress.seconds < next_line_) return;
  next_line_ = progress.seconds + kLineInterval;
  std::string line = label + " " + bar(progress.reused + progress.done, progress.total);
  const auto add = [&](std::size_t count, const char* what) {
    if (count > 0) line += fmt::format(", {} {}", count, what);
  };
  add(progress.running, "running");
  add(progress.failed, "failed");
  add(progress.unconverged, "unconverged");
  add(progress.elsewhere, "elsewhere");
  add(progress.lost_workers, "workers lost");
  if (std::isfinite(progress.seconds_left)) line += fmt::format(", {} left", view::duration(progress.seconds_left));
  if (terminal_)
    show(line);
  else
    put(line + "\n");
}

}  // namespace attnlaw::app
