#pragma once
/// Keeps the time that a solution may take.

#include <algorithm>
#include <chrono>
#include <optional>

namespace attnlaw::theory {

/// Counts from its construction.
class Budget {
 public:
  explicit Budget(std::optional<double> seconds) : seconds_(seconds) {}
  double spent() const { return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin_).count(); }
  /// Whether there is as much left, or no limit.
  bool allows(double seconds) const { return !seconds_ || spent() + seconds <= *seconds_; }
  /// What is left for a part of the work; never 0, as every part takes its first points in any case.
  std::optional<double> left() const {
    constexpr double kLeast = 1e-9;
    if (!seconds_) return std::nullopt;
    return std::max(kLeast, *seconds_ - spent());
  }

 private:
  std::optional<double> seconds_;
  std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
};

}  // namespace attnlaw::theory
