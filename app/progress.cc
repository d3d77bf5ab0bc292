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
  waiting_ = command;
  ticker_ = std::jthread([this](const std::stop_token& stop) { tick(stop); });
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

void Progress::tick(const std::stop_token& stop) {
  constexpr std::chrono::seconds kInterval{1};
  std::unique_lock lock(mutex_);
  while (!woken_.wait_for(lock, stop, kInterval, [&] { return stop.stop_requested(); }))
    if (!waiting_.empty()) write(fmt::format("{} ... {}", waiting_, view::duration(seconds_since(begin_))));
}

void Progress::write(const std::string& line) {
  if (terminal_) return show(line);
  if (seconds_since(start_) < next_line_) return;
  next_line_ = seconds_since(start_) + kLineInterval;
  put(line + "\n");
}

/// The line that stood there is painted over with blanks, so that no terminal needs to know an escape code.
void Progress::show(const std::string& line) {
  if (!line.empty() || width_ > 0) put(fmt::format("\r{: <{}}", line, width_));
  width_ = line.size();
}

void Progress::begin(const std::string& label) {
  if (label == label_) return;
  label_ = label;
  begin_ = Clock::now();
}

void Progress::update(const std::string& label, int done, int total) {
  const std::lock_guard lock(mutex_);
  begin(label);
  waiting_ = done > 0 ? "" : label;
  if (done > 0)
    write(fmt::format("{} {}, {} left", label, bar(static_cast<std::size_t>(done), static_cast<std::size_t>(total)),
                      view::duration(seconds_since(begin_) / done * (total - done))));
  else
    write(label + " ...");
}

void Progress::update_study(const std::string& label, const study::RunProgress& progress) {
  const std::lock_guard lock(mutex_);
  begin(label);
  std::string line = label + " " + bar(progress.reused + progress.done, progress.total);
  const auto add = [&](std::size_t count, const char* what) {
    if (count > 0) line += fmt::format(", {} {}", count, what);
  };
  add(progress.running, "running");
  add(progress.failed, "failed");
  add(progress.unconverged, "unconverged");
  add(progress.elsewhere, "elsewhere");
  add(progress.lost_workers, "workers lost");
  waiting_ = std::isfinite(progress.seconds_left) ? "" : line;
  if (waiting_.empty()) line += fmt::format(", {} left", view::duration(progress.seconds_left));
  write(line);
}

}  // namespace attnlaw::app
