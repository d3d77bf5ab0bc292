#include "attnlaw/base/memory.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <limits>

namespace attnlaw::base {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kUnlimited = std::numeric_limits<std::uint64_t>::max();

class ControlGroups : public testing::Test {
 protected:
  ControlGroups()
      : root_(fs::temp_directory_path() / ("attnlaw_memory_test_" + std::to_string(getpid()) + "_" +
                                           testing::UnitTest::GetInstance()->current_test_info()->name())) {}
  ~ControlGroups() override { fs::remove_all(root_); }

  void write(const char* file, const char* content) const {
    fs::create_directories((root_ / file).parent_path());
    std::ofstream(root_ / file) << content << '\n';
  }

  fs::path root_;
};

TEST_F(ControlGroups, WithoutFilesSetNoLimit) {
  EXPECT_EQ(control_group_limit(root_, "0::/a/b\n3:memory:/c\n"), kUnlimited);
  EXPECT_EQ(control_group_limit(root_, ""), kUnlimited);
}

TEST_F(ControlGroups, OfVersion2LimitAllBelow) {
  write("a/memory.max", "1000");
  write("a/b/memory.max", "max");
  EXPECT_EQ(control_group_limit(root_, "0::/a/b\n"), 1000U);
  write("a/b/memory.max", "500");
  EXPECT_EQ(control_group_limit(root_, "0::/a/b\n"), 500U);
  EXPECT_EQ(control_group_limit(root_, "0::/a\n"), 1000U);
  EXPECT_EQ(control_group_limit(root_, "0::/\n"), kUnlimited);
  write("memory.max", "200");
  EXPECT_EQ(control_group_limit(root_, "0::/a/b\n"), 200U);
}

TEST_F(ControlGroups, OfVersion1AreFoundByTheirController) {
  write("memory/memory.limit_in_bytes", "9223372036854771712");
  write("memory/job/memory.limit_in_bytes", "4096");
  EXPECT_EQ(control_group_limit(root_, "5:cpu,memory:/job\n0::/\n"), 4096U);
  EXPECT_EQ(control_group_limit(root_, "5:cpu:/job\n4:memory:/elsewhere\n"), 9223372036854771712U);
}

TEST(MemoryLimit, IsPositiveAndAtMostThePhysicalMemory) {
  EXPECT_GT(memory_limit(), 0U);
  EXPECT_LE(memory_limit(),
            static_cast<std::uint64_t>(sysconf(_SC_PHYS_PAGES)) * static_cast<std::uint64_t>(sysconf(_SC_PAGE_SIZE)));
}

}  // namespace
}  // namespace attnlaw::base
