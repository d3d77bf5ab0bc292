#include "attnlaw/base/json_text.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "attnlaw/base/fields/json.h"

namespace attnlaw::base {
namespace {

using nlohmann::json;

TEST(Escaped, LeavesUtf8AsItIs) {
  for (const char* text : {"", "plain",
                           "u\xcc\x88"
                           "ber \xf0\x9f\x98\x80\n",
                           "\\xi and \\xbar and \\x41", "\xed\x9f\xbf", "\xf4\x8f\xbf\xbf"}) {
    EXPECT_EQ(escaped(text), text);
    EXPECT_EQ(unescaped(text), text);
  }
}

TEST(Escaped, ShowsEveryOtherByte) {
  EXPECT_EQ(escaped("\xfc"
                    "ber"),
            "\\xFCber");
  EXPECT_EQ(escaped("\xc0\x80"), "\\xC0\\x80") << "too long for its character";
  EXPECT_EQ(escaped("\xed\xa0\x80"), "\\xED\\xA0\\x80") << "a surrogate";
  EXPECT_EQ(escaped("\xf4\x90\x80\x80"), "\\xF4\\x90\\x80\\x80") << "beyond U+10FFFF";
  EXPECT_EQ(escaped("\xe2\x82"), "\\xE2\\x82") << "cut off";
  EXPECT_EQ(escaped("a\\xFC"), "a\\x5CxFC") << "a name that looks like an escape";
}

RC_GTEST_PROP(Escaped, IsUndone, (const std::string& bytes)) { RC_ASSERT(unescaped(escaped(bytes)) == bytes); }

RC_GTEST_PROP(JsonText, IsReadBackWhateverTheBytes, (const std::string& bytes, const std::string& more)) {
  const json document{{"name", bytes}, {"list", {1, more, nullptr}}};
  RC_ASSERT(parse_json(json_text(document)) == document);
}

TEST(JsonText, OfUtf8IsThatOfTheLibrary) {
  const json document{{"a", 1}, {"b", {"\u00fc", 2.5}}};
  EXPECT_EQ(json_text(document), document.dump());
  EXPECT_EQ(json_text(document, 2), document.dump(2));
}

TEST(JsonText, EscapesNamesToo) { EXPECT_EQ(json_text({{"\xff", 1}}), "{\"\\\\xFF\":1}"); }

TEST(ParseJson, RefusesWhatIsNestedAbsurdlyDeep) {
  EXPECT_THROW(parse_json(std::string(100000, '[') + std::string(100000, ']')), std::invalid_argument);
  EXPECT_NO_THROW(parse_json(std::string(50, '[') + std::string(50, ']')));
}

}  // namespace
}  // namespace attnlaw::base
