#include "attnlaw/base/number_array.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <filesystem>
#include <stdexcept>

#include "attnlaw/base/file.h"
#include "npy_text.h"
#include "scratch.h"

namespace attnlaw::base {
namespace {

using test::bytes;
using test::npy;
using test::raw_npy;
using testing::AllOf;
using testing::HasSubstr;
using testing::ThrowsMessage;

class NumberArrays : public testing::Test {
 protected:
  std::string write(const std::string& end, const std::string& content) const {
    const std::string path = scratch_ / ("array" + end);
    write_atomically(path, content);
    return path;
  }

 private:
  test::Scratch scratch_;
};

TEST_F(NumberArrays, ArraysOfNumpyAreRead) {
  for (const int version : {1, 2, 3}) {
    const Matrix<double> x =
        read_number_array(write(".npy", npy(version, "<f8", "(2, 3)", bytes<double>({1, 2, 3, 4, 5, 6.5})))).values;
    ASSERT_EQ(x.rows(), 2);
    EXPECT_EQ(x(1, 2), 6.5);
  }
  const auto last = [&](const std::string& type, const std::string& numbers) {
    return read_number_array(write(".npy", npy(1, type, "(3,)", numbers))).values(2, 0);
  };
  EXPECT_EQ(last("<f4", bytes<float>({1, 2, 0.25})), 0.25);
  EXPECT_EQ(last("|i1", bytes<std::int8_t>({1, 2, -3})), -3);
  EXPECT_EQ(last("|b1", bytes<std::uint8_t>({1, 0, 1})), 1);
  EXPECT_EQ(last("|u1", bytes<std::uint8_t>({1, 0, 200})), 200);
  EXPECT_EQ(last("<i2", bytes<std::int16_t>({1, 0, -300})), -300);
  EXPECT_EQ(last("<u2", bytes<std::uint16_t>({1, 0, 60000})), 60000);
  EXPECT_EQ(last("<i4", bytes<std::int32_t>({1, 0, -70000})), -70000);
  EXPECT_EQ(last("<u4", bytes<std::uint32_t>({1, 0, 3000000000U})), 3e9);
  EXPECT_EQ(last("<i8", bytes<std::int64_t>({1, 0, -1})), -1);
  EXPECT_EQ(last("<u8", bytes<std::uint64_t>({1, 0, 7})), 7);
}

/// By NumPy of Python 2, NPZ.jl, cnpy and npyjs (github.com/numpy/numpy/issues/23988, fhs/NPZ.jl/issues/11 and 31).
TEST_F(NumberArrays, ArraysAreReadAsOthersWriteThem) {
  const std::string numbers = bytes<double>({1, 2, 3, 4, 5, 6.5});
  const Matrix<double> plain = read_number_array(write(".npy", npy(1, "<f8", "(2, 3)", numbers))).values;
  for (const char* header : {"{\"descr\": \"<f8\", \"fortran_order\": False, \"shape\": (2, 3)}",
                             "{'descr': '<f8', 'fortran_order': False, 'shape': (2L, 3L), }      \n",
                             "{'shape':(2,3),'fortran_order':False,'descr':'=f8'}",
                             "{ 'shape' : ( 2 , 3 ) , 'descr' : 'f8' , 'fortran_order' : False , }"})
    EXPECT_EQ(read_number_array(write(".npy", raw_npy(header, numbers))).values, plain) << header;
}

TEST_F(NumberArrays, ArraysInFortranOrderAreTheSameArrays) {
  // The first index runs fastest in the file.
  const Matrix<double> table =
      read_number_array(write(".npy", npy(1, "<f8", "(2, 3)", bytes<double>({1, 4, 2, 5, 3, 6.5}), "True"))).values;
  EXPECT_EQ(table,
            read_number_array(write(".npy", npy(1, "<f8", "(2, 3)", bytes<double>({1, 2, 3, 4, 5, 6.5})))).values);
  const std::string one_axis = bytes<double>({1, 2, 3});
  EXPECT_EQ(read_number_array(write(".npy", npy(1, "<f8", "(3,)", one_axis, "True"))).values,
            read_number_array(write(".npy", npy(1, "<f8", "(3,)", one_axis))).values);
  std::vector<double> c_order(24), fortran(24);
  for (std::size_t i = 0; i < 2; ++i)
    for (std::size_t j = 0; j < 3; ++j)
      for (std::size_t k = 0; k < 4; ++k)
        c_order[(i * 3 + j) * 4 + k] = fortran[i + 2 * (j + 3 * k)] = static_cast<double>(100 * i + 10 * j + k);
  const NumberArray three = read_number_array(write(".npy", npy(1, "<f8", "(2, 3, 4)", bytes(fortran), "True")));
  EXPECT_EQ(three.inner, 3);
  EXPECT_EQ(three.values, read_number_array(write(".npy", npy(1, "<f8", "(2, 3, 4)", bytes(c_order)))).values);
}

TEST_F(NumberArrays, NumbersOfAnyOrderOfBytesAndHalfPrecisionAreRead) {
  const auto last = [&](const std::string& type, const std::string& numbers) {
    return read_number_array(write(".npy", npy(1, type, "(2,)", numbers))).values(1, 0);
  };
  EXPECT_EQ(last("<u1", bytes<std::uint8_t>({1, 200})), 200) << "one byte has no order";
  EXPECT_EQ(last(">f8", std::string(8, '\0') + std::string("\x3f\xf8\0\0\0\0\0\0", 8)), 1.5);
  EXPECT_EQ(last(">i2", std::string("\0\1\xff\xfe", 4)), -2);
  EXPECT_EQ(last("<f2", std::string("\0\0\0\x3e", 4)), 1.5);
}

TEST_F(NumberArrays, OtherContentIsRefused) {
  const std::string numbers = bytes<double>({1, 2, 3, 4});
  const std::vector<std::pair<std::string, std::string>> bad{
      {"not an array", "NUMPY"},
      {npy(4, "<f8", "(2, 2)", numbers), "version"},
      {npy(1, "<c8", "(2, 2)", numbers), "whole numbers"},
      {npy(1, "<f16", "(2, 2)", numbers), "whole numbers"},
      {npy(1, "<f8", "(2, 2)", numbers, "0"), "fortran_order"},
      {npy(1, "<f8", "5", numbers), "axes"},
      {npy(1, "<f8", "", numbers), "header"},
      {raw_npy("{'descr': '<f8', 'shape': (2, 2)}", numbers), "fortran_order or shape is missing"},
      {raw_npy("{'descr': '<f8", numbers), "quotes"},
      {raw_npy("[1, 2]", numbers), "'{' is missing"},
      {npy(1, "<f8", "(2, 3)", numbers), "announced"},
      {npy(1, "<f8", "(1, 1, 2, 2)", numbers), "axes"},
      {npy(1, "<f8", "()", numbers), "axes"},
      {npy(1, "<f8", "(99999999999999999999, 2)", numbers), "axes"},
      {npy(1, "<f8", "(2, 2)", bytes<double>({1, 2, 3, std::nan("")})), "finite"},
      {npy(1, "<f8", "(2, 2)", numbers).substr(0, 30), "header"}};
  for (const auto& [content, message] : bad) {
    const std::string path = write(".npy", content);
    EXPECT_THAT([&] { read_number_array(path); }, ThrowsMessage<std::invalid_argument>(HasSubstr(message))) << message;
  }
  const std::string ragged = write(".csv", "1,2,3\n4,5\n");
  EXPECT_THAT(
      [&] { read_number_array(ragged); },
      ThrowsMessage<std::invalid_argument>(AllOf(
          HasSubstr(":2: expected finite numbers, 3 in each line as in the first ("), HasSubstr(":1), got 2: '4,5'"))));
}

/// The content tells, whatever the name.
TEST_F(NumberArrays, OfNumpyMayHaveAnyName) {
  EXPECT_EQ(read_number_array(write(".dat", npy(1, "<f8", "(2,)", bytes<double>({1, 2.5})))).values(1, 0), 2.5);
  EXPECT_THAT([&] { read_number_array(write(".npy", "1 2\n")); },
              ThrowsMessage<std::invalid_argument>(HasSubstr("NUMPY")));
}

TEST_F(NumberArrays, InTextAreTables) {
  const NumberArray table = read_number_array(write(".txt", "# a table\n1 2 3\n\n4,5,6\n"));
  EXPECT_EQ(table.inner, 0);
  EXPECT_EQ(table.values, (Matrix<double>(2, 3) << 1, 2, 3, 4, 5, 6).finished());
}

}  // namespace
}  // namespace attnlaw::base
