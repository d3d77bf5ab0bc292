#include "attnlaw/operations/interruption.h"

#include <fmt/format.h>

#include <atomic>

namespace attnlaw::operations {
namespace {

/// What the handler sets.
std::atomic<bool> signalled{false};

}  // namespace

void Interruption::answer(int) {
  signalled = true;
  for (const int each : kSignals) {
    struct sigaction now;
    if (sigaction(each, nullptr, &now) != 0 || now.sa_handler != answer) continue;
    now.sa_handler = SIG_DFL;
    sigaction(each, &now, nullptr);
  }
}

Interruption::Interruption() {
  if (base::interrupt_flag()) return;
  signalled = false;
  scope_.emplace(&signalled);
  struct sigaction action = {};
  action.sa_handler = answer;
  for (std::size_t i = 0; i < std::size(kSignals); ++i) {
    sigaction(kSignals[i], &action, &before_[i]);
    // A job in the background, or under nohup.
    if (before_[i].sa_handler == SIG_IGN) sigaction(kSignals[i], &before_[i], nullptr);
  }
}

Interruption::~Interruption() {
  if (!listens()) return;
  for (std::size_t i = 0; i < std::size(kSignals); ++i) sigaction(kSignals[i], &before_[i], nullptr);
}

bool Interruption::happened() const { return listens() && signalled; }

std::string after(std::size_t done, std::size_t total, const char* what) {
  return fmt::format("after {} of {} {}", done, total, what);
}

}  // namespace attnlaw::operations
