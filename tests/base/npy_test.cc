#include "attnlaw/base/npy.h"

#include <gtest/gtest.h>

#include <cstring>
#include <stdexcept>

namespace attnlaw::base {
namespace {

TEST(Npy, HasAHeaderOfSixtyFourBytesTimesAndThenTheValues) {
  const double values[] = {1, 2, 3, 4, 5, 6};
  const std::string bytes = npy_bytes(values, 3, 2);
  ASSERT_GT(bytes.size(), sizeof(values));
  const std::size_t start = bytes.size() - sizeof(values);
  EXPECT_EQ(start % 64, 0U);
  EXPECT_EQ(bytes.substr(0, 6), "\x93NUMPY");
  EXPECT_EQ(static_cast<std::size_t>(static_cast<unsigned char>(bytes[8])) + 10, start);
  EXPECT_EQ(bytes[start - 1], '\n');
  EXPECT_NE(bytes.find("'descr': '<f8', 'fortran_order': True, 'shape': (3, 2)"), std::string::npos);
  double read[6];
  std::memcpy(read, bytes.data() + start, sizeof(read));
  for (int i = 0; i < 6; ++i) EXPECT_EQ(read[i], values[i]);
  EXPECT_THROW(npy_bytes(values, 2, 2), std::invalid_argument);
}

}  // namespace
}  // namespace attnlaw::base
