#include "progress.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>

namespace attnlaw::app {

Progress::Progress(std::string label, bool quiet)
    : label_(std::move(label)), visible_(!quiet && isatty(STDERR_FILENO)), begin_(std::chrono::steady_clock::now()) {
  if (visible_) fmt::print(stderr, "\r{} …", label_);
}

Progress::~Progress() {
  if (visible_) fmt::print(stderr, "\r\x1b[K");
}

void Progress::update(int done, int total) {
  if (!visible_) return;
  constexpr int kWidth = 24;
  const double elapsed = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin_).count();
  const int filled = kWidth * done / total;
  fmt::print(stderr, "\r\x1b[K{} [{:=<{}}{: <{}}] {}/{}, {:.0f} s left", label_, "", filled, "", kWidth - filled, done,
             total, elapsed / done * (total - done));
  std::fflush(stderr);
}

}  // namespace attnlaw::app
