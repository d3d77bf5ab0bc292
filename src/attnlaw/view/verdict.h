#pragma once
/// One sentence says what the differences between experiments and theory mean, at one problem or along a curve.

#include <span>
#include <string>
#include <vector>

#include "attnlaw/base/estimate.h"
#include "attnlaw/study/comparison.h"

namespace attnlaw::view {

/// Says that students or theory did not converge.
inline constexpr const char* kNoVerdict = "No verdict: students or theory did not converge.";

/// A relative difference with the name of its error, and of its point where there are several: "test at α = 0.3".
struct NamedDifference {
  std::string name;
  study::Extrapolated difference;
};

/// The sentence about differences at a single d, which are of order 1/d; empty where none is known.
std::string verdict_at(int d, std::span<const NamedDifference> differences);

/// The sentence about differences that were taken to 1/d → 0 from so many sizes, at `points` problems. The one that is
/// most standard errors off decides, as it would among normal numbers: standard errors from `freedom` degrees of
/// freedom scatter themselves, and of many points one is far off by chance. Empty where none is known.
std::string verdict_of_limits(std::span<const NamedDifference> differences, std::size_t sizes, std::size_t points,
                              double freedom);

}  // namespace attnlaw::view
