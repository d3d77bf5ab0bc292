// Every file of files/manifest.json: checkpoints made by hand, sound, odd and hostile, with what is expected of each.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "attnlaw/base/file.h"
#include "attnlaw/checkpoint/head.h"
#include "attnlaw/checkpoint/open.h"
#include "checkpoint/allocations.h"
#include "checkpoint/singular_values.h"

namespace attnlaw::checkpoint {
namespace {

using nlohmann::json;
using test::all_heads;
using test::singular_values;

const std::filesystem::path kFiles = std::filesystem::path(__FILE__).parent_path() / "files";

struct Case {
  std::string file;
  std::string expect;
  std::string why;
  std::vector<std::vector<double>> values;
};

std::vector<Case> cases() {
  const json manifest = json::parse(std::ifstream(kFiles / "manifest.json"));
  std::vector<Case> all;
  for (const json& entry : manifest.at("files"))
    all.push_back({entry.at("file"), entry.at("expect"), entry.at("why"),
                   entry.value("singular_values_per_head", std::vector<std::vector<double>>())});
  return all;
}

/// The model has 4 heads; where a configuration or metadata say so, nothing is given by hand.
Model open(const Case& c) {
  const std::filesystem::path path = kFiles / c.file;
  const bool says = std::filesystem::exists(path.parent_path() / "config.json") || path.extension() == ".gguf";
  return open_model(path.string(), {.heads = says ? 0 : 4});
}

void expect_values(const Case& c) {
  const std::vector<Head> heads = all_heads(open(c));
  ASSERT_EQ(heads.size(), 4u);
  for (std::size_t h = 0; h < c.values.size(); ++h) {
    EXPECT_EQ(heads[h].defect, "");
    const Eigen::Map<const Eigen::VectorXd> expected(c.values[h].data(), 8);
    EXPECT_LT((singular_values(heads[h]) - expected).cwiseAbs().maxCoeff(), 1e-6) << "head " << h;
  }
}

/// One line, which names the file, within a second, and without memory beyond the file.
void expect_refusal(const Case& c) {
  const auto start = std::chrono::steady_clock::now();
  const test::Allocations allocations;
  try {
    all_heads(open(c));
    ADD_FAILURE() << "was read";
  } catch (const base::FileError& error) {
    const std::string message = error.what();
    EXPECT_EQ(message.find('\n'), std::string::npos) << message;
    const std::string folder = std::filesystem::path(c.file).parent_path().string();
    EXPECT_THAT(message, testing::HasSubstr(folder));
    EXPECT_LT(message.size(), 1200u) << message;
    for (char character : message) EXPECT_GE(static_cast<unsigned char>(character), 0x20);
    testing::Test::RecordProperty("message", message);
  }
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(1));
  test::expect_within(std::filesystem::file_size(kFiles / c.file), allocations);
}

class Manifest : public testing::TestWithParam<Case> {};

TEST_P(Manifest, IsReadOrRefusedAsExpected) {
  const Case& c = GetParam();
  SCOPED_TRACE(c.why);
  if (c.expect == "read") {
    expect_values(c);
  } else if (c.expect == "read or refuse") {
    try {
      open(c);
    } catch (const base::FileError& error) {
      for (const char* byte = error.what(); *byte != 0; ++byte) EXPECT_NE(*byte, '\x1b');
    }
  } else {
    expect_refusal(c);
  }
}

std::string name_of(const testing::TestParamInfo<Case>& info) {
  std::string name = info.param.file + std::to_string(info.index);
  for (char& character : name)
    if (std::isalnum(static_cast<unsigned char>(character)) == 0) character = '_';
  return name;
}

INSTANTIATE_TEST_SUITE_P(Checkpoint, Manifest, testing::ValuesIn(cases()), name_of);

TEST(Manifest, DeadHeadHasNoSingularValues) {
  const std::vector<Head> heads =
      all_heads(open_model((kFiles / "odd-safetensors/zero-head.safetensors").string(), {.heads = 4}));
  int dead = 0;
  for (const Head& head : heads) dead += singular_values(head).maxCoeff() == 0;
  EXPECT_EQ(dead, 4);  // all queries of the file are zero
}

}  // namespace
}  // namespace attnlaw::checkpoint
