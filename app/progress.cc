#include "progress.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cmath>
#include <cstdio>

#include "attnlaw/view/columns.h"

namespace attnlaw::app {
namespace {

/// Seconds between the lines that stand for a bar where there is no terminal.
constexpr double kLineInterval = 30;

std::string bar(std::size_t done, std::size_t total) {
  constexpr std::size_t kWidth = 24;
  const std::size_t filled = total == 0 ? kWidth : kWidth * done / total;
  return fmt::format("[{:=<{}}{: <{}}] {}/{}", "", filled, "", kWidth - filled, done, total);
}

}  // namespace

Progress::Progress(bool quiet) : quiet_(quiet), terminal_(isatty(STDERR_FILENO)), next_line_(kLineInterval) {}

void Progress::attach(operations::Run& run) {
  if (quiet_) return;
  run.study_progress = [this](const std::string& label, const study::RunProgress& progress) {
    update_study(label, progress);
  };
  if (terminal_) run.progress = [this](const std::string& label, int done, int total) { update(label, done, total); };
}

void Progress::clear() {
  if (shown_) fmt::print(stderr, "\r\x1b[K");
  shown_ = false;
}

void Progress::update(const std::string& label, int done, int total) {
  const auto now = std::chrono::steady_clock::now();
  if (!shown_ || label != label_) label_ = label, begin_ = now;
  shown_ = true;
  if (done == 0) {
    fmt::print(stderr, "\r\x1b[K{} …", label);
  } else {
    const double elapsed = std::chrono::duration<double>(now - begin_).count();
    fmt::print(stderr, "\r\x1b[K{} {}, {} left", label,
               bar(static_cast<std::size_t>(done), static_cast<std::size_t>(total)),
               view::duration(elapsed / done * (total - done)));
  }
  std::fflush(stderr);
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
  fmt::print(stderr, "{}{}{}", terminal_ ? "\r\x1b[K" : "", line, terminal_ ? "" : "\n");
  shown_ = terminal_;
  std::fflush(stderr);
}

}  // namespace attnlaw::app
