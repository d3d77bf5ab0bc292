#include "attnlaw/view/verdict.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "attnlaw/base/normal.h"

namespace attnlaw::view {
namespace {

/// Of the three errors of a correct theory one lies further off than the first in one run of thirty, and further than
/// the second in one of seven hundred.
constexpr double kCompatible = 2.5, kDiffers = 3.5;
/// From so many sizes on the curvature in 1/d is fitted.
constexpr std::size_t kSizesForCurvature = 4;

/// "test +1.35 ± 0.65 %", or without a standard error where there is none.
std::string difference_text(const NamedDifference& of) {
  const double error = of.difference.standard_error;
  const std::string bar = std::isnan(error) ? "" : fmt::format(" ± {:.2f}", 100 * error);
  return fmt::format("{} {:+.2f}{} %", of.name, 100 * of.difference.value, bar);
}

/// The normal number that is as rare as this one of Student's law (Wallace, Ann. Math. Stat. 30 (1959) 1124).
double normal_of_student(double t, double freedom) {
  return (8 * freedom + 1) / (8 * freedom + 3) * std::sqrt(freedom * std::log1p(t * t / freedom));
}

/// Tells whether the largest of `count` normal numbers is as likely to be beyond z as one is to be beyond `limit`.
bool is_within(double z, std::size_t count, double limit) {
  return static_cast<double>(count) * base::normal_cdf(-z) >= base::normal_cdf(-limit);
}

}  // namespace

std::string verdict_at(int d, std::span<const NamedDifference> differences) {
  const NamedDifference* worst = nullptr;
  for (const NamedDifference& one : differences)
    if (const double off = std::abs(one.difference.value); off > (worst ? std::abs(worst->difference.value) : 0))
      worst = &one;
  if (!worst) return {};
  return fmt::format(
      "At one d a difference of order 1/d is normal: here at most {:.1f}/d ({}). Several d tell: --d {},{},{}.",
      std::abs(worst->difference.value) * d, difference_text(*worst), d, 3 * d / 2, 2 * d);
}

std::string verdict_of_limits(std::span<const NamedDifference> differences, std::size_t sizes, std::size_t points,
                              double freedom) {
  const NamedDifference* worst = nullptr;
  for (const NamedDifference& one : differences)
    if (const double z = std::abs(one.difference.z);
        std::isfinite(z) && z > (worst ? std::abs(worst->difference.z) : -1))
      worst = &one;
  if (!worst) return {};
  const double off = std::abs(worst->difference.z), z = normal_of_student(off, freedom);
  const std::string most = difference_text(*worst);
  const std::string where = points > 1 ? fmt::format("at {} points ", points) : "";
  const char* rest = off > kCompatible ? ", as happens with so few instances, or so many points" : "";
  if (is_within(z, points, kCompatible))
    return fmt::format(
        "Compatible: taken to 1/d → 0, {}no error is more than {:.1f} standard errors from the theory ({}){}.", where,
        off, most, rest);
  const std::string todo = sizes < kSizesForCurvature ? "a line in 1/d is fitted, four sizes or more show its curvature"
                                                      : "larger d and more instances tell more";
  const char* found = is_within(z, points, kDiffers) ? "Undecided" : "Differs from the theory";
  return fmt::format("{}: taken to 1/d → 0, {}{} ({:.1f} standard errors); {}.", found,
                     points > 1 ? "the most of " + std::to_string(points) + " points is " : "", most, off, todo);
}

}  // namespace attnlaw::view
