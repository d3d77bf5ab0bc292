#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "attnlaw/base/file.h"
#include "attnlaw/report/page.h"
#include "report/samples.h"

namespace attnlaw::report {
namespace {

const std::string root = ATTNLAW_ROOT;
const std::string web = root + "/src/attnlaw/report/web";

/// The packages of the table in docs/licences.md.
std::vector<std::string> listed_packages() {
  std::istringstream lines(base::read_text(root + "/docs/licences.md"));
  std::vector<std::string> names;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("| ") && !line.starts_with("| package")) names.push_back(line.substr(2, line.find(" |") - 2));
  }
  return names;
}

/// The licence text that a package brings, as it stands in a comment; empty if it brings none.
std::string licence_text(const std::string& package) {
  for (const auto& entry : std::filesystem::directory_iterator(web + "/node_modules/" + package)) {
    if (!entry.path().filename().string().starts_with("LICENSE")) continue;
    std::string text = base::read_text(entry.path());
    for (std::size_t at = text.find("*/"); at != std::string::npos; at = text.find("*/", at)) text.insert(at + 1, " ");
    return text;
  }
  return "";
}

TEST(Licence, IsNamedTheSameEverywhere) {
  const std::string licence = base::read_text(root + "/LICENSE");
  EXPECT_TRUE(licence.starts_with("BSD 3-Clause License"));
  EXPECT_NE(licence.find("The attnlaw authors"), std::string::npos);
  const std::string citation = base::read_text(root + "/CITATION.cff");
  EXPECT_NE(citation.find("\nlicense: BSD-3-Clause\n"), std::string::npos);
  EXPECT_NE(citation.find("name: The attnlaw authors\n"), std::string::npos);
  const std::string package = base::read_text(root + "/cmake/attnlawConfig.cmake.in");
  EXPECT_NE(package.find("set(attnlaw_LICENSE \"BSD-3-Clause\")"), std::string::npos);
  EXPECT_NE(base::read_text(root + "/README.md").find("(LICENSE)"), std::string::npos);
  EXPECT_EQ(nlohmann::json::parse(base::read_text(web + "/package.json")).at("license"), "BSD-3-Clause");
  const auto lock = nlohmann::json::parse(base::read_text(web + "/package-lock.json"));
  EXPECT_EQ(lock.at("packages").at("").at("license"), "BSD-3-Clause");
}

TEST(Licence, TextsOfAllPackagesStandInThePage) {
  const Section section{.heading = "h", .text = "", .chart = errors_chart(test::learning_curves(3, 3))};
  const std::string page =
      html({.title = "t", .lead = "", .sections = {section}, .command = "", .version = "", .date = ""});
  const std::vector<std::string> packages = listed_packages();
  EXPECT_GT(packages.size(), 50U);
  for (const std::string& package : packages) EXPECT_NE(page.find(licence_text(package)), std::string::npos) << package;
  EXPECT_NE(licence_text("vega-canvas"), "") << "serves the packages of Vega that bring no text";
}

}  // namespace
}  // namespace attnlaw::report
