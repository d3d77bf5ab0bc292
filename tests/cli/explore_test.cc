/// The page with live theory, as the program writes it; a program without one says how to get it.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "attnlaw/report/assets.h"
#include "cli/csv.h"
#include "program.h"

namespace attnlaw::test {
namespace {

using testing::HasSubstr;

TEST(Explore, WritesThePageOrSaysHowToGetIt) {
  const Scratch scratch;
  const std::string path = (scratch / "page.html").string();
  const Outcome outcome = attnlaw("explore --format json --html " + path);
  if (report::explorer_page().empty()) {
    EXPECT_EQ(outcome.code, 1);
    EXPECT_THAT(outcome.err, HasSubstr("scripts/setup explorer"));
    EXPECT_EQ(scratch.listing(), "");
    return;
  }
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_EQ(slurp(path), report::explorer_page());
  const auto document = nlohmann::json::parse(outcome.out);
  EXPECT_EQ(document["html"], path);
  EXPECT_EQ(document["bytes"], report::explorer_page().size());
  EXPECT_FALSE(document.contains("problem"));
}

TEST(Explore, BeginsAtAProblem) {
  if (report::explorer_page().empty()) GTEST_SKIP() << "there is no page in this build: scripts/setup explorer";
  const Scratch scratch;
  const std::string path = (scratch / "page.html").string();
  EXPECT_EQ(attnlaw("explore --head linear --noise 0.2 --html " + path).code, 0);
  const std::string page = slurp(path);
  const std::string mark = "id=\"start\">";
  const std::size_t begin = page.find(mark) + mark.size();
  const auto problem = nlohmann::json::parse(page.substr(begin, page.find('<', begin) - begin));
  EXPECT_EQ(problem["head"], "linear");
  EXPECT_EQ(problem["noise"], 0.2);
  EXPECT_EQ(problem["lambda"], 0.05);
  const Outcome csv = attnlaw("explore --format csv --html " + path);
  const std::string text = documented_columns("explore");
  for (const std::string& column : columns_of(csv.out)) EXPECT_THAT(text, HasSubstr("`" + column + "`"));
}

TEST(Explore, RefusesWhatIsNoProblem) {
  const Outcome outcome = attnlaw("explore --alpha -1");
  EXPECT_EQ(outcome.code, 2);
  EXPECT_THAT(outcome.err, HasSubstr("alpha"));
}

TEST(Explore, RefusesWhatAPageCannotRead) {
  const Scratch scratch;
  const Outcome outcome = attnlaw("explore --target file:" + scratch.write("eigenvalues.txt", "1\n2\n").string());
  EXPECT_EQ(outcome.code, 2);
  EXPECT_THAT(outcome.err, HasSubstr("a page has no files"));
  EXPECT_EQ(scratch.listing(), "eigenvalues.txt ");
}

}  // namespace
}  // namespace attnlaw::test
