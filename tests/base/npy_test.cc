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

/// Python marks literals of text and of bytes by a letter before the quotes.
TEST(Npy, LiteralsMayHaveTheirPrefix) {
  const auto header_of = [](std::string dictionary) {
    dictionary += '\n';
    std::string bytes("\x93NUMPY\x01\0", 8);
    bytes += static_cast<char>(dictionary.size());
    bytes += '\0';
    return npy_header(bytes + dictionary, "x.npy");
  };
  for (const std::string letter : {"", "u", "b", "U", "B"}) {
    const std::string quote = letter + "'";
    const NpyHeader header =
        header_of("{" + quote + "descr': " + quote + ">f4', " + quote + "fortran_order': True, 'shape': (3L, 2), }");
    EXPECT_EQ(header.kind, 'f');
    EXPECT_EQ(header.size, 4U);
    EXPECT_TRUE(header.big_endian);
    EXPECT_EQ(header.shape, (std::vector<std::size_t>{3, 2}));
  }
  EXPECT_THROW(header_of("{x'descr': '<f8', 'fortran_order': True, 'shape': (3, 2), }"), std::invalid_argument);
}

}  // namespace
}  // namespace attnlaw::base
