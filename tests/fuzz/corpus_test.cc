/// Every input of tests/fuzz/corpus goes through its target.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "fuzz/targets.h"

namespace attnlaw::fuzz {
namespace {

namespace fs = std::filesystem;

class Fuzz : public testing::TestWithParam<Target> {};

TEST_P(Fuzz, InputsThatAreKeptAreAcceptedOrRefused) {
  std::size_t inputs = 0;
  for (const auto& entry : fs::directory_iterator(fs::path(ATTNLAW_FUZZ_CORPUS) / GetParam().name)) {
    std::ostringstream content;
    content << std::ifstream(entry.path(), std::ios::binary).rdbuf();
    ++inputs;
    try {
      GetParam().run(content.str());
    } catch (const FaultFound& fault) {
      ADD_FAILURE() << entry.path() << ": " << fault.what;
    } catch (const std::exception& error) {
      ADD_FAILURE() << entry.path() << ": " << error.what();
    }
  }
  EXPECT_GT(inputs, 0U) << "a target begins with valid inputs";
}

INSTANTIATE_TEST_SUITE_P(Targets, Fuzz, testing::ValuesIn(targets().begin(), targets().end()),
                         [](const auto& target) { return std::string(target.param.name); });

TEST(FuzzCorpus, HasAFolderForEachTargetAndNoOther) {
  std::set<std::string> names, folders;
  for (const Target& target : targets()) names.insert(target.name);
  for (const auto& entry : fs::directory_iterator(ATTNLAW_FUZZ_CORPUS)) folders.insert(entry.path().filename());
  EXPECT_EQ(names, folders);
}

}  // namespace
}  // namespace attnlaw::fuzz
