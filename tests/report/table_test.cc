#include "attnlaw/report/table.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "attnlaw/base/numbers.h"

namespace attnlaw::report {
namespace {

Table errors() {
  return {.title = "Errors",
          .columns = {{.name = "trainer"},
                      {.name = "α", .notation = Notation::fixed, .precision = 2},
                      {.name = "time", .unit = "s", .precision = 3},
                      {.name = "steps"}},
          .rows = {{"lbfgs", 0.5, 1.23456, 120LL}, {"adam", 12.0, {}, 9LL}}};
}

TEST(Table, TextAlignsByCharactersNotBytes) {
  EXPECT_EQ(text(errors()),
            "Errors\n"
            "trainer      α  time [s]  steps\n"
            "───────  ─────  ────────  ─────\n"
            "lbfgs     0.50      1.23    120\n"
            "adam     12.00         –      9\n");
}

TEST(Table, TextGoesOnBelowWhereItIsTooWide) {
  EXPECT_EQ(text(errors(), 26),
            "Errors\n"
            "trainer      α  time [s]\n"
            "───────  ─────  ────────\n"
            "lbfgs     0.50      1.23\n"
            "adam     12.00         –\n"
            "\n"
            "trainer  steps\n"
            "───────  ─────\n"
            "lbfgs      120\n"
            "adam         9\n");
  EXPECT_EQ(text(errors(), 80), text(errors()));
  // A column that is too wide by itself is not divided.
  EXPECT_EQ(text(errors(), 1).find('\n', 8), text(errors(), 16).find('\n', 8));
}

TEST(Table, BreaksTitlesAndTextsThatAreTooWide) {
  const std::string words = "an error with a cause, a place and a remedy";
  const Table table{.title = "A title of many short words",
                    .columns = {{.name = "k"}, {.name = "why"}, {.name = "n"}},
                    .rows = {{"a", words, 1LL}, {"b", "none", 22LL}}};
  EXPECT_EQ(text(table, 40),
            "A title of many short words\n"
            "k  why                              n\n"
            "─  ──────────────────────────────  ──\n"
            "a  an error with a cause, a place   1\n"
            "   and a remedy\n"
            "b  none                            22\n");
  const auto characters = [](std::string_view line) {
    return std::count_if(line.begin(), line.end(), [](char c) { return (c & 0xC0) != 0x80; });
  };
  EXPECT_GT(characters(base::split(text(table), '\n')[1]), 40);
  for (const int width : {40, 45, 80})
    for (const auto line : base::split(text(table, static_cast<std::size_t>(width)), '\n'))
      EXPECT_LE(characters(line), width) << line;
  EXPECT_EQ(text(table, 20).substr(0, 28), "A title of many\nshort words\n");
  EXPECT_EQ(text(table, 100), text(table));
}

TEST(Wrapped, BreaksAtBlanksAndIndentsByCharacters) {
  EXPECT_EQ(wrapped("a b", 0), std::vector<std::string>({"a b"}));
  EXPECT_EQ(wrapped("one two three", 7), std::vector<std::string>({"one two", "three"}));
  EXPECT_EQ(wrapped("a verylongword b", 6), std::vector<std::string>({"a", "verylongword", "b"}));
  EXPECT_EQ(wrapped("σ  one two", 6, std::string("σ  ").size()), std::vector<std::string>({"σ  one", "   two"}));
}

TEST(Table, OneTextAmongNumbersDoesNotTurnTheirColumn) {
  const Table table{.title = "", .columns = {{.name = "x"}}, .rows = {{1.0}, {22.0}, {"[0, 1]"}}};
  EXPECT_EQ(text(table), "     x\n──────\n     1\n    22\n[0, 1]\n");
}

TEST(Table, TextCountsCombiningMarksAsNoWidth) {
  const Table table{.title = "", .columns = {{.name = "q\u0302"}}, .rows = {{1.5}}};
  EXPECT_EQ(text(table), "  q\u0302\n───\n1.5\n");
}

TEST(Table, CsvKeepsEveryDigit) {
  const double third = 1.0 / 3.0;
  const Table table{.title = "t", .columns = {{.name = "x", .precision = 2}}, .rows = {{third}}};
  const std::string written = csv(table);
  EXPECT_EQ(written, "x\r\n0.3333333333333333\r\n");
  EXPECT_EQ(std::stod(written.substr(3)), third);
}

TEST(Table, CsvQuotesCommasAndQuotesAndEscapesLineBreaks) {
  const Table table{
      .title = "", .columns = {{.name = "a,b"}, {.name = "c"}}, .rows = {{"say \"x\"", "1\n2"}, {{}, "plain"}}};
  EXPECT_EQ(csv(table), "\"a,b\",c\r\n\"say \"\"x\"\"\",1\\n2\r\n,plain\r\n");
}

TEST(Table, FixedDecimalsEndAtNumbersThatFillTheLine) {
  const Table table{"", {{"x", "", Notation::fixed, 2}}, {{999999999.99}, {1e9}, {-2.5e170}}};
  const std::string text = report::text(table);
  EXPECT_NE(text.find("999999999.99"), std::string::npos) << text;
  EXPECT_NE(text.find("1e+09"), std::string::npos) << text;
  EXPECT_NE(text.find("-2.5e+170"), std::string::npos) << text;
}

TEST(Table, WritesNumbersThatAreNotFinite) {
  const double inf = std::numeric_limits<double>::infinity();
  const Table table{.title = "", .columns = {{.name = "x"}}, .rows = {{-std::nan("")}, {inf}, {-inf}}};
  EXPECT_EQ(csv(table), "x\r\nnan\r\ninf\r\n-inf\r\n");
  EXPECT_EQ(text(table), "   x\n────\n nan\n inf\n-inf\n");
}

TEST(Table, HtmlEscapesAndMarksHeaders) {
  const Table table{.title = "<b>", .columns = {{.name = "a<b", .unit = "\"s\""}}, .rows = {{"</td>&'"}}};
  EXPECT_EQ(html(table),
            "<table>\n<caption>&lt;b&gt;</caption>\n"
            "<thead><tr><th scope=\"col\" class=\"text\">a&lt;b <span "
            "class=\"unit\">[&quot;s&quot;]</span></th></tr></thead>\n"
            "<tbody>\n<tr><td class=\"text\">&lt;/td&gt;&amp;&#39;</td></tr>\n</tbody>\n</table>\n");
}

TEST(Table, WithoutRowsHasItsHeader) {
  const Table table{.title = "", .columns = {{.name = "x"}, {.name = "y"}}};
  EXPECT_EQ(text(table), "x  y\n─  ─\n");
  EXPECT_EQ(csv(table), "x,y\r\n");
}

TEST(Table, RefusesRowsOfAnotherLength) {
  Table table = errors();
  table.rows.push_back({"fista"});
  EXPECT_THROW(text(table), std::invalid_argument);
  EXPECT_THROW(csv(table), std::invalid_argument);
  EXPECT_THROW(html(table), std::invalid_argument);
}

TEST(Table, RefusesPrecisionOutOfRange) {
  Table table = errors();
  table.columns[1].precision = 18;
  EXPECT_THROW(text(table), std::invalid_argument);
}

}  // namespace
}  // namespace attnlaw::report
