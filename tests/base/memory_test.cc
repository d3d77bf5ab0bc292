#include "attnlaw/base/memory.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

namespace attnlaw::base {
namespace {

TEST(MemoryLimit, IsPositiveAndAtMostThePhysicalMemory) {
  EXPECT_GT(memory_limit(), 0U);
  EXPECT_LE(memory_limit(),
            static_cast<std::uint64_t>(sysconf(_SC_PHYS_PAGES)) * static_cast<std::uint64_t>(sysconf(_SC_PAGE_SIZE)));
}

TEST(BytesText, ReadsAsPeopleSayIt) {
  EXPECT_EQ(bytes_text(12), "12 bytes");
  EXPECT_EQ(bytes_text(1023.6), "1 KiB");
  EXPECT_EQ(bytes_text(1.5 * 1024 * 1024), "1.5 MiB");
  EXPECT_EQ(bytes_text(1.86 * 1024 * 1024 * 1024), "1.86 GiB");
  EXPECT_EQ(bytes_text(574.0 * 1024 * 1024 * 1024), "574 GiB");
  EXPECT_EQ(bytes_text(1e30), "867361737988 EiB") << "no unit is larger than EiB";
}

}  // namespace
}  // namespace attnlaw::base
