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

/// Seconds between the lines that stand for a bar where there is no terminal.
constexpr double kLineInterval = 30;

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

void Progress::attach(operations::Run& run) {
  if (quiet_) return;
  run.study_progress = [this](const std::string& label, const study::RunProgress& progress) {
    update_study(label, progress);
  };
  if (terminal_) run.progress = [this](const std::string& label, int done, int total) { update(label, done, total); };
}

void Progress::clear() {
  if (width_ == 0) return;
  show("");
  put("\r");
}

void Progress::update(const std::string& label, int done, int total) {
  const auto now = std::chrono::steady_clock::now();
  if (width_ == 0 || label != label_) label_ = label, begin_ = now;
  if (done == 0) return show(label + " ...");
  const double elapsed = std::chrono::duration<double>(now - begin_).count();
  show(fmt::format("{} {}, {} left", label, bar(static_cast<std::size_t>(done), static_cast<std::size_t>(total)),
                   view::duration(elapsed / done * (total - done))));
}

/// The line that stood there is painted over with blanks, so that no terminal needs to know an escape code.
void Progress::show(const std::string& line) {
  if (!line.empty() || width_ > 0) put(fmt::format("\r{: <{}}", line, width_));
  width_ = line.size();
}

void Progress::update_study(const std::string& label, const study::RunProgress& progress) {
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
