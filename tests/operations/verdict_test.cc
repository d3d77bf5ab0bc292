/// Tests of the sentence about the differences between experiments and theory.

#include "attnlaw/view/verdict.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

namespace attnlaw::view {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

constexpr double kMany = 1e6;  // degrees of freedom

/// So many standard errors off, beside an error that is none.
std::vector<NamedDifference> off_by(double z) {
  study::Extrapolated far, near;
  far.value = 0.01 * z, far.standard_error = 0.01, far.z = z;
  near.value = 0, near.standard_error = 0.01, near.z = 0;
  return {{"train", near}, {"test at α = 0.3", far}};
}

TEST(Verdict, IsThatOfTheErrorMostOff) {
  EXPECT_THAT(verdict_of_limits(off_by(-2), 3, 1, kMany), StartsWith("Compatible"));
  EXPECT_THAT(verdict_of_limits(off_by(-2), 3, 1, kMany),
              HasSubstr("2.0 standard errors from the theory (test at α = 0.3 -2.00 ± 1.00 %)"));
  EXPECT_THAT(verdict_of_limits(off_by(3), 3, 1, kMany), StartsWith("Undecided"));
  EXPECT_THAT(verdict_of_limits(off_by(-4), 3, 1, kMany), StartsWith("Differs from the theory"));
  EXPECT_THAT(verdict_of_limits(off_by(4), 3, 1, kMany), HasSubstr("four sizes or more"));
  EXPECT_THAT(verdict_of_limits(off_by(4), 4, 1, kMany), HasSubstr("larger d"));
  EXPECT_EQ(verdict_of_limits({}, 3, 1, kMany), "");
  EXPECT_EQ(verdict_of_limits(off_by(std::numeric_limits<double>::quiet_NaN()), 3, 1, kMany).find("test"),
            std::string::npos);
}

TEST(Verdict, AllowsForManyPointsAndForFewInstances) {
  EXPECT_THAT(verdict_of_limits(off_by(3), 3, 100, kMany), StartsWith("Compatible: taken to 1/d → 0, at 100 points "));
  EXPECT_THAT(verdict_of_limits(off_by(6), 3, 100, kMany), StartsWith("Differs"));
  // Student's law of two degrees of freedom is beyond 4 in one of 17 draws, beyond 40 in one of 1600.
  EXPECT_THAT(verdict_of_limits(off_by(4), 3, 1, 2), StartsWith("Compatible"));
  EXPECT_THAT(verdict_of_limits(off_by(4), 3, 1, 2), HasSubstr("with so few instances"));
  EXPECT_THAT(verdict_of_limits(off_by(2), 3, 1, 2), testing::Not(HasSubstr("with so few instances")));
  EXPECT_THAT(verdict_of_limits(off_by(40), 3, 1, 2), StartsWith("Undecided"));
}

TEST(Verdict, AtOneSizeIsThatACorrectionIsNormal) {
  const std::string verdict = verdict_at(20, off_by(3));
  EXPECT_THAT(verdict,
              StartsWith("At one d a difference of order 1/d is normal: here at most 0.6/d (test at α = 0.3 +3.00"));
  EXPECT_THAT(verdict, HasSubstr("--d 20,30,40"));
}

}  // namespace
}  // namespace attnlaw::view
