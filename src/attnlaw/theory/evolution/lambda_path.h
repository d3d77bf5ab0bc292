#pragma once
/// Solutions along λ, and where the next one is to be sought.

#include <cmath>
#include <optional>
#include <utility>

#include "attnlaw/theory/evolution/fixed_point.h"

namespace attnlaw::theory {

/// Keeps the last two solutions of a walk along λ. The next is on the line through them in the coordinates of the chart
/// over log λ: while labels are fitted V ~ 1/λ.
class LambdaPath {
 public:
  explicit LambdaPath(const Chart& chart) : chart_(chart) {}

  /// A solution with q > 0.
  void add(double lambda, const FixedPoint& at) {
    Place place{std::log(lambda), chart_.coordinates(at.overlaps), at.slope};
    if (last_ && apart(place, *last_)) before_ = std::move(last_);
    last_ = std::move(place);
  }
  /// None where no solution is known.
  std::optional<Start> start_at(double lambda) const {
    if (!last_) return std::nullopt;
    Coordinates x = last_->x;
    if (before_ && before_->x.size() == x.size() && apart(*last_, *before_)) {
      const double ratio = (std::log(lambda) - last_->log_lambda) / (last_->log_lambda - before_->log_lambda);
      const Coordinates move = ratio * (last_->x - before_->x);
      // Where S leaves 0 its coordinates come from infinitely far away.
      constexpr double kLongestMove = 2;
      if (move.cwiseAbs().maxCoeff() <= kLongestMove) x += move;
    }
    return Start{chart_.overlaps(x), last_->slope};
  }

 private:
  struct Place {
    double log_lambda;
    Coordinates x;
    std::optional<Slope> slope;
  };
  /// Over less of log λ a line through two solutions is one through their rounding.
  static bool apart(const Place& a, const Place& b) {
    constexpr double kTelling = 1e-3;
    return std::abs(a.log_lambda - b.log_lambda) > kTelling;
  }

  Chart chart_;
  std::optional<Place> before_, last_;
};

}  // namespace attnlaw::theory
