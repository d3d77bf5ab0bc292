#include "attnlaw/base/instances.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <stdexcept>

namespace attnlaw::base {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::ThrowsMessage;

struct Measured {
  double x = 0;
};

TEST(RunInstances, ReturnsThemInOrderAndReportsEach) {
  for (const int threads : {0, 1, 3}) {
    int reports = 0;
    const auto numbers = run_instances(
        4, threads, [](std::size_t i) { return 10 * static_cast<int>(i); },
        [&](int, int total) {
          ++reports;
          EXPECT_EQ(total, 4);
        });
    EXPECT_THAT(numbers, ElementsAre(0, 10, 20, 30));
    EXPECT_EQ(reports, 4);
  }
}

TEST(EstimateOver, IsMeanAndStandardErrorOfAMemberOrAFunction) {
  const std::vector<Measured> instances{{1}, {2}, {6}};
  const Estimate member = estimate_over(instances, &Measured::x);
  EXPECT_DOUBLE_EQ(member.value, 3);
  EXPECT_DOUBLE_EQ(member.standard_error, std::sqrt(14.0 / 6));
  EXPECT_DOUBLE_EQ(estimate_over(instances, [](const Measured& one) { return 2 * one.x; }).value, 6);
  Measured mean, standard_error;
  average_over(instances, &Measured::x, mean, standard_error);
  EXPECT_DOUBLE_EQ(mean.x, member.value);
  EXPECT_DOUBLE_EQ(standard_error.x, member.standard_error);
}

TEST(RequireInstances, RefusesNoInstancesAndNegativeThreads) {
  EXPECT_NO_THROW(require_instances(1, 0));
  EXPECT_THAT([] { require_instances(0, 1); }, ThrowsMessage<std::invalid_argument>(HasSubstr("instances")));
  EXPECT_THAT([] { require_instances(1, -1); }, ThrowsMessage<std::invalid_argument>(HasSubstr("threads")));
}

TEST(RequireMemory, NamesWhatIsNeededAndWhatToDo) {
  EXPECT_NO_THROW(require_memory(100, "a run", "less", 100));
  EXPECT_THAT(
      [] { require_memory(101, "a run", "less", 100); },
      ThrowsMessage<MemoryError>("a run needs 101 bytes of memory, this process may use 100 bytes; choose less"));
}

TEST(InstancesAtATime, AreAtMostTheThreads) {
  EXPECT_EQ(instances_at_a_time(2, 5), 2);
  EXPECT_EQ(instances_at_a_time(7, 5), 5);
  EXPECT_LE(instances_at_a_time(7, 0), available_threads());
}

}  // namespace
}  // namespace attnlaw::base
