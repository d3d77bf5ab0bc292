#include "attnlaw/base/control_group.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <limits>

#include "scratch.h"

namespace attnlaw::base {
namespace {

constexpr std::uint64_t kUnlimited = std::numeric_limits<std::uint64_t>::max();
constexpr double kAll = std::numeric_limits<double>::infinity();

class ControlGroups : public testing::Test {
 protected:
  void write(const char* file, const char* content) const {
    std::filesystem::create_directories((root_.path() / file).parent_path());
    std::ofstream(root_.path() / file) << content << '\n';
  }
  std::uint64_t memory(const char* membership) const { return control_group_memory(root_.path(), membership); }
  double processors(const char* membership) const { return control_group_processors(root_.path(), membership); }

  test::Scratch root_;
};

TEST_F(ControlGroups, WithoutFilesSetNoLimit) {
  EXPECT_EQ(memory("0::/a/b\n3:memory:/c\n"), kUnlimited);
  EXPECT_EQ(memory(""), kUnlimited);
  EXPECT_EQ(processors("0::/a/b\n3:cpu,cpuacct:/c\n"), kAll);
  EXPECT_EQ(processors(""), kAll);
}

TEST_F(ControlGroups, MemoryOfVersion2IsLimitedByAllAbove) {
  write("a/memory.max", "1000");
  write("a/b/memory.max", "max");
  EXPECT_EQ(memory("0::/a/b\n"), 1000U);
  write("a/b/memory.max", "500");
  EXPECT_EQ(memory("0::/a/b\n"), 500U);
  EXPECT_EQ(memory("0::/a\n"), 1000U);
  EXPECT_EQ(memory("0::/\n"), kUnlimited);
  write("memory.max", "200");
  EXPECT_EQ(memory("0::/a/b\n"), 200U);
}

TEST_F(ControlGroups, MemoryOfVersion1IsFoundByItsController) {
  write("memory/memory.limit_in_bytes", "9223372036854771712");
  write("memory/job/memory.limit_in_bytes", "4096");
  EXPECT_EQ(memory("5:cpu,memory:/job\n0::/\n"), 4096U);
  EXPECT_EQ(memory("5:cpu:/job\n4:memory:/elsewhere\n"), 9223372036854771712U);
}

TEST_F(ControlGroups, ProcessorsOfVersion2AreQuotaOverPeriod) {
  write("cpu.max", "max 100000");
  EXPECT_EQ(processors("0::/a/b\n"), kAll);
  write("a/cpu.max", "250000 100000");
  write("a/b/cpu.max", "max 100000");
  EXPECT_DOUBLE_EQ(processors("0::/a/b\n"), 2.5);
  write("a/b/cpu.max", "5000 10000");
  EXPECT_DOUBLE_EQ(processors("0::/a/b\n"), 0.5);
  EXPECT_DOUBLE_EQ(processors("0::/of/the/host\n"), kAll);
}

TEST_F(ControlGroups, ProcessorsOfVersion1AreQuotaOverPeriod) {
  write("cpu,cpuacct/cpu.cfs_quota_us", "-1");
  write("cpu,cpuacct/cpu.cfs_period_us", "100000");
  EXPECT_EQ(processors("4:cpu,cpuacct:/job\n"), kAll);
  write("cpu,cpuacct/job/cpu.cfs_quota_us", "150000");
  write("cpu,cpuacct/job/cpu.cfs_period_us", "100000");
  EXPECT_DOUBLE_EQ(processors("4:cpu,cpuacct:/job\n"), 1.5);
  EXPECT_EQ(processors("4:cpuset:/job\n"), kAll);
}

TEST_F(ControlGroups, OfAHybridMachineStandUnderUnified) {
  write("unified/job/cpu.max", "100000 100000");
  write("unified/job/memory.max", "77");
  EXPECT_DOUBLE_EQ(processors("4:memory:/\n0::/job\n"), 1);
  EXPECT_EQ(memory("0::/job\n"), 77U);
}

}  // namespace
}  // namespace attnlaw::base
