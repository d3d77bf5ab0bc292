#pragma once
/// Ctrl-C (SIGINT) and SIGTERM end an operation with what it knows by then.

#include <csignal>
#include <iterator>
#include <optional>
#include <string>

#include "attnlaw/base/interrupt.h"

namespace attnlaw::operations {

/// For as long as this lives a signal interrupts the calling thread, once: a second one of either kind ends the
/// program. Signals that are ignored stay so. Where the thread is in an InterruptScope already, whoever began that has
/// the signals, and this does nothing.
class Interruption {
 public:
  Interruption();
  ~Interruption();
  Interruption(const Interruption&) = delete;
  Interruption& operator=(const Interruption&) = delete;

  /// Whether the signals are of this object: an operation then ends with what it knows, else with base::Interrupted.
  bool listens() const { return scope_.has_value(); }
  /// Whether a signal has come to this object.
  bool happened() const;

  /// Calls the body. Returns false if a signal to this object has ended it.
  template <class Body>
  bool completes(const Body& body) const {
    try {
      body();
      return true;
    } catch (const base::Interrupted&) {
      if (!happened()) throw;
      return false;
    }
  }

 private:
  static constexpr int kSignals[] = {SIGINT, SIGTERM};
  /// Handles the first signal.
  static void answer(int signal);

  std::optional<base::InterruptScope> scope_;
  struct sigaction before_[std::size(kSignals)];
};

/// "after 3 of 16 instances" for what a result says about its interruption.
std::string after(std::size_t done, std::size_t total, const char* what);

}  // namespace attnlaw::operations
