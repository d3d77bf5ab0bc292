#include "attnlaw/base/numbers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <charconv>
#include <cmath>
#include <filesystem>
#include <string>

#include "attnlaw/base/file.h"

namespace attnlaw::base {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::ThrowsMessage;
using Rows = std::vector<std::vector<double>>;

TEST(Numbers, TakeUpTheWholeText) {
  EXPECT_EQ(number_in<double>("-1.5e3"), -1500);
  EXPECT_EQ(number_in<double>("+1.5e+3"), 1500);
  EXPECT_EQ(number_in<int>("12"), 12);
  for (const char* bad : {"", " 1", "1 ", "1x", "+", "++1", "+-1", "0x10"}) EXPECT_FALSE(number_in<double>(bad)) << bad;
  EXPECT_FALSE(number_in<int>("1.5"));
  EXPECT_THAT([] { finite_number("inf", "size"); }, ThrowsMessage<std::invalid_argument>(HasSubstr("size")));
}

TEST(Numbers, DecimalsAreReadAsByFromChars) {
  for (const std::string text : {"0",
                                 "-0",
                                 "1",
                                 "-1.5e3",
                                 "1.5e+3",
                                 "1e",
                                 "1e+",
                                 "1.e5",
                                 ".5",
                                 "-.5",
                                 ".",
                                 "-",
                                 "",
                                 "+1",
                                 " 1",
                                 "1 ",
                                 "--1",
                                 "inf",
                                 "-INF",
                                 "infinity",
                                 "nan",
                                 "NaN",
                                 "-nan",
                                 "0x10",
                                 "-0x10",
                                 "0X1p3",
                                 "1e400",
                                 "-1e400",
                                 "1e-400",
                                 "1e-310",
                                 "4.9406564584124654e-324",
                                 "0.1",
                                 "123456789012345678901234567890",
                                 "1_000",
                                 "1,5",
                                 "e5",
                                 "i",
                                 "n"}) {
    double expected = 7, found = 7;
    const char* const first = text.data();
    const auto [expected_end, expected_error] = std::from_chars(first, first + text.size(), expected);
    const auto [end, error] = decimal_from_chars(first, first + text.size(), found);
    EXPECT_EQ(error, expected_error) << text;
    EXPECT_EQ(end - first, expected_end - first) << text;
    if (std::isnan(expected)) {
      EXPECT_TRUE(std::isnan(found)) << text;
    } else {
      EXPECT_EQ(found, expected) << text;
      EXPECT_EQ(std::signbit(found), std::signbit(expected)) << text;
    }
  }
}

TEST(Numbers, SplitKeepsEmptyFields) {
  EXPECT_EQ(split("a,,b", ','), (std::vector<std::string_view>{"a", "", "b"}));
  EXPECT_EQ(split("", ','), (std::vector<std::string_view>{""}));
}

class NumberLines : public testing::Test {
 protected:
  NumberLines()
      : path_((std::filesystem::temp_directory_path() /
               (std::string("attnlaw_numbers_") + testing::UnitTest::GetInstance()->current_test_info()->name()))
                  .string()) {}
  ~NumberLines() override { std::filesystem::remove(path_); }

  Rows read(const std::string& content, std::size_t per_line) const {
    write_atomically(path_, content);
    return read_number_lines(path_, per_line, "numbers");
  }

  std::string path_;
};

TEST_F(NumberLines, AreSeparatedByBlanksOrCommas) {
  EXPECT_EQ(read("# title\n1 2\t3\r\n\n 4, 5,6 # end\n7\n", 0), (Rows{{1, 2, 3}, {4, 5, 6}, {7}}));
  EXPECT_EQ(read("1\n2", 1), (Rows{{1}, {2}}));
}

TEST_F(NumberLines, MayComeFromAnySystem) {
  EXPECT_EQ(read("\xEF\xBB\xBF"
                 "1,+2\r\n3,4\r\n",
                 2),
            (Rows{{1, 2}, {3, 4}}))
      << "with a byte order mark";
  EXPECT_EQ(read("1 2\r3 4\r", 2), (Rows{{1, 2}, {3, 4}})) << "with lines that end with CR alone";
}

TEST_F(NumberLines, WithDecimalCommasAreRefusedAndNotTorn) {
  for (const char* bad : {"0,5\t1,5", "0,5 1", "3 1,5 , 2"})
    EXPECT_THAT([&] { read(std::string("1 2\n") + bad + "\n", 0); },
                ThrowsMessage<std::invalid_argument>(AllOf(HasSubstr(path_ + ":2:"), HasSubstr("decimal points"))))
        << bad;
  EXPECT_EQ(read("1, 2 ,3\n4,5,6\n7 8 9\n", 3), (Rows{{1, 2, 3}, {4, 5, 6}, {7, 8, 9}}));
}

TEST_F(NumberLines, NameTheLineOfWhatIsWrong) {
  for (const char* bad : {"two", "inf", "1,,2", "1,", ", 1"}) {
    EXPECT_THAT([&] { read(std::string("1\n") + bad + "\n", 1); },
                ThrowsMessage<std::invalid_argument>(HasSubstr(path_ + ":2: expected numbers, got '" + bad + "'")));
  }
  EXPECT_THAT([&] { read("1 2\n", 1); },
              ThrowsMessage<std::invalid_argument>(HasSubstr(":1: expected numbers, got 2 numbers, '1 2'")));
  EXPECT_THAT([&] { read("# none\n", 0); }, ThrowsMessage<std::invalid_argument>(HasSubstr("at least one")));
}

TEST_F(NumberLines, ThatAreNoTextOrLongAreNotRepeated) {
  const std::string array("\x93NUMPY\x01\x00v\x00{'descr': '<f8'}", 27);
  EXPECT_THAT([&] { read(array, 1); },
              ThrowsMessage<std::invalid_argument>(path_ + ": expected numbers, and this is no text file"));
  std::string row;
  for (int i = 0; i < 5000; ++i) row += "0.125 ";
  EXPECT_THAT([&] { read(row, 1); }, ThrowsMessage<std::invalid_argument>(HasSubstr("got 5000 numbers, '0.125 ")));
  EXPECT_THAT(
      [&] { read(row, 1); },
      testing::Throws<std::invalid_argument>(testing::Property(
          &std::invalid_argument::what,
          testing::ResultOf([](const char* text) { return std::string_view(text).size(); }, testing::Lt(300u)))));
  // A message ends with a whole character.
  EXPECT_THAT([&] { read(std::string(59, 'x') + "κκκ", 1); },
              ThrowsMessage<std::invalid_argument>(HasSubstr(std::string(59, 'x') + " …'")));
  // Of what is no text a few bytes say enough; tabs are text.
  EXPECT_THAT([&] { read(std::string(200, '\x05'), 1); },
              ThrowsMessage<std::invalid_argument>(HasSubstr("'\\x05\\x05\\x05\\x05\\x05...'")));
  EXPECT_THAT([&] { read("a\tb " + std::string(30, 'x'), 1); },
              ThrowsMessage<std::invalid_argument>(HasSubstr("'a\tb " + std::string(30, 'x') + "'")));
}

}  // namespace
}  // namespace attnlaw::base
