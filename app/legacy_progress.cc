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

}  // namespace attnlaw::legacy
