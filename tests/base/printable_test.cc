#include "attnlaw/base/printable.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <string>

namespace attnlaw::base {
namespace {

TEST(Printable, LeavesPlainTextAsItIs) {
  for (const char* text : {"", "plain", "u\xcc\x88 \xf0\x9f\x98\x80", "a\\n b\\x1B", "λ = 1"}) {
    EXPECT_EQ(printable(text), text);
    EXPECT_EQ(on_one_line(text), text);
    EXPECT_EQ(printable_name(text, 100), text);
  }
}

TEST(Printable, ShowsWhatLeavesTheLine) {
  EXPECT_EQ(printable("a\nb\r\x1b[31m\t\x7f"), "a\\nb\\x0D\\x1B[31m\\x09\\x7F");
  EXPECT_EQ(printable("\xc2\x9b"
                      "31m \xe2\x80\xa8 \xe2\x80\xae"),
            "\\xC2\\x9B31m \\xE2\\x80\\xA8 \\xE2\\x80\\xAE");
  EXPECT_EQ(printable("x\xff"), "x\\xFF");
  EXPECT_EQ(on_one_line("x\xff\n"), "x\xff\\n") << "bytes that are no UTF-8 stay";
}

TEST(Printable, NamesAreCutAndHaveLowerCase) {
  EXPECT_EQ(printable_name("\xff\n\x1b", 100), "\\xff\\n\\x1b");
  EXPECT_EQ(printable_name("abcdef", 3), "abc...");
}

RC_GTEST_PROP(Printable, IsOneLineOfAnyBytes, (const std::string& bytes)) {
  const std::string text = printable(bytes);
  RC_ASSERT(std::none_of(text.begin(), text.end(), [](char c) { return (c >= 0 && c < ' ') || c == '\x7f'; }));
  RC_ASSERT(printable(text) == text);
}

}  // namespace
}  // namespace attnlaw::base
