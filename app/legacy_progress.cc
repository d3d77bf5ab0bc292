#include "legacy_progress.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cmath>
#include <cstdio>

#include "attnlaw/view/columns.h"

namespace attnlaw::legacy {

using namespace view;
namespace {

std::string bar(std::size_t done, std::size_t total) {
  constexpr std::size_t kWidth = 24;
  const std::size_t filled = total == 0 ? kWidth : kWidth * done / total;
  return fmt::format("[{:=<{}}{: <{}}] {}/{}", "", filled, "", kWidth - filled, done, total);
}

}  // namespace

/// Seconds between the lines that stand for a bar where there is no terminal.
constexpr double kLineInterval = 30;

Progress::Progress(std::string label, bool quiet)
    : label_(std::move(label)), visible_(!quiet && isatty(STDERR_FILENO)), begin_(std::chrono::steady_clock::now()) {
  if (visible_) fmt::print(stderr, "\r{} …", label_);
}

Progress::~Progress() {
  if (visible_) fmt::print(stderr, "\r\x1b[K");
}

void Progress::update(int done, int total) {
  if (!visible_) return;
  const double elapsed = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin_).count();
  fmt::print(stderr, "\r\x1b[K{} {}, {} left", label_,
             bar(static_cast<std::size_t>(done), static_cast<std::size_t>(total)),
             view::duration(elapsed / done * (total - done)));
  std::fflush(stderr);
}

StudyProgress::StudyProgress(std::string label, bool quiet)
    : label_(std::move(label)), quiet_(quiet), terminal_(isatty(STDERR_FILENO)), next_line_(kLineInterval) {}

StudyProgress::~StudyProgress() {
  if (!quiet_ && terminal_) fmt::print(stderr, "\r\x1b[K");
}

void StudyProgress::update(const study::RunProgress& progress) {
  if (quiet_ || (!terminal_ && progress.seconds < next_line_)) return;
  next_line_ = progress.seconds + kLineInterval;
  std::string line = label_ + " " + bar(progress.reused + progress.done, progress.total);
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
  std::fflush(stderr);
}

}  // namespace attnlaw::legacy
