/// The maps of a model over the steps of its training.

#include "attnlaw/checkpoint/inspection/course.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>

#include "attnlaw/checkpoint/open.h"
#include "checkpoint/synthetic.h"
#include "scratch.h"

namespace attnlaw::checkpoint {
namespace {

using test::Draws;
using test::Index;
using test::MatrixXd;
using test::Scratch;
using test::SyntheticFile;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr Index kRows = 16, kDimension = 128;

MatrixXd outer(const MatrixXd& a, const MatrixXd& b) { return a.normalized() * b.normalized().transpose(); }

/// Two heads in one layer; a direction of the first grows with the time.
class Training {
 public:
  Training() : draws_(9) {
    for (MatrixXd* W : {&query_, &key_}) *W = draws_.matrix(2 * kRows, kDimension);
    const MatrixXd in_head = draws_.matrix(kRows, 1);
    query_spike_ = outer(in_head, draws_.matrix(kDimension, 1));
    key_spike_ = outer(in_head, draws_.matrix(kDimension, 1));
  }
  void write(const std::filesystem::path& folder, double time) const {
    std::filesystem::create_directories(folder);
    MatrixXd query = query_, key = key_;
    query.topRows(kRows) += 30 * time * query_spike_;
    key.topRows(kRows) += 30 * time * key_spike_;
    SyntheticFile file;
    file.add("model.layers.0.self_attn.q_proj.weight", query);
    file.add("model.layers.0.self_attn.k_proj.weight", key);
    file.write(folder / "model.safetensors");
    base::write_atomically((folder / "config.json").string(), R"({"model_type":"opt","num_attention_heads":2})");
  }

 private:
  Draws draws_;
  MatrixXd query_, key_, query_spike_, key_spike_;
};

std::vector<std::string> names_of(const std::vector<StepFile>& steps) {
  std::vector<std::string> names;
  for (const StepFile& step : steps) names.push_back(std::filesystem::path(step.path).filename().string());
  return names;
}

std::vector<double> numbers_of(const std::vector<StepFile>& steps) {
  std::vector<double> numbers;
  for (const StepFile& step : steps) numbers.push_back(step.number);
  return numbers;
}

TEST(Steps, AreOrderedByTheNumbersOfTheirNames) {
  const Scratch folder;
  const Training training;
  for (const char* name : {"checkpoint-500", "checkpoint-1000", "checkpoint-50"}) training.write(folder / name, 0);
  training.write(folder / "best", 0);
  std::filesystem::create_directories(folder / "checkpoint-7");  // without weights
  const std::vector<StepFile> steps = steps_in(folder.path().string());
  EXPECT_THAT(names_of(steps), ElementsAre("checkpoint-50", "checkpoint-500", "checkpoint-1000"));
  EXPECT_THAT(numbers_of(steps), ElementsAre(50, 500, 1000));
  // A folder that is a model has no steps, and one step is no course.
  EXPECT_THAT(steps_in((folder / "best").string()), testing::IsEmpty());
}

TEST(Steps, OfFilesInOneFolder) {
  const Scratch folder;
  for (const char* name : {"step_10.safetensors", "step_9.safetensors", "other.safetensors"}) folder.write(name, "x");
  EXPECT_THAT(numbers_of(steps_in(folder.path().string())), ElementsAre(9, 10));
  // Models of several numbers are told apart by the first that differs; other names keep the order they are given in.
  EXPECT_THAT(numbers_of(in_order({"v2/step10/a", "v2/step9/a"})), ElementsAre(9, 10));
  EXPECT_THAT(names_of(in_order({"late", "early"})), ElementsAre("late", "early"));
  EXPECT_THAT(numbers_of(in_order({"late", "early"})), ElementsAre(0, 1));
}

TEST(Course, ADirectionThatGrowsIsFollowed) {
  const Scratch folder;
  const Training training;
  for (int step = 0; step < 5; ++step) training.write(folder / ("step-" + std::to_string(10 * step)), step / 4.0);
  const Followed followed = follow(steps_in(folder.path().string()), {}, {});
  const auto& [steps, heads] = followed.course;
  ASSERT_EQ(steps.size(), 5U);
  ASSERT_EQ(heads.size(), 10U);
  EXPECT_EQ(steps.front().not_random, 0);
  EXPECT_EQ(steps.back().not_random, 1);
  EXPECT_EQ(steps[3].number, 30);
  EXPECT_EQ(followed.last.heads[0].outliers.count, 1);
  // The steps of the first head stand together, and lead to the last one.
  for (int t = 0; t < 5; ++t) {
    const HeadStep& at = heads[static_cast<std::size_t>(t)];
    EXPECT_EQ(at.step, t);
    EXPECT_EQ(at.head, 0);
    EXPECT_EQ(at.directions, 1);
    if (t == 0) continue;
    const HeadStep& before = heads[static_cast<std::size_t>(t) - 1];
    EXPECT_GE(at.left_alignment, before.left_alignment - 0.02);
    EXPECT_LT(at.stable_rank, before.stable_rank);
  }
  EXPECT_LT(heads[0].left_alignment, 0.1);
  EXPECT_GT(heads[2].right_alignment, 0.8);
  // The second head does not move.
  for (std::size_t t = 5; t < 10; ++t) {
    EXPECT_NEAR(heads[t].cosine, 1, 1e-12);
    EXPECT_NEAR(heads[t].left_alignment, 1, 1e-10);
  }
}

TEST(Course, TakesStepsOfOneModel) {
  const Scratch folder;
  const Training training;
  training.write(folder / "a1", 0);
  training.write(folder / "a2", 0);
  EXPECT_THROW(follow({{(folder / "a1").string()}}, {}, {}), std::invalid_argument);
  base::write_atomically((folder / "a2" / "config.json").string(), R"({"model_type":"opt","num_attention_heads":4})");
  try {
    follow({{(folder / "a1").string()}, {(folder / "a2").string(), 1}}, {}, {});
    FAIL();
  } catch (const std::invalid_argument& error) {
    EXPECT_THAT(error.what(), HasSubstr("same shape"));
  }
}

}  // namespace
}  // namespace attnlaw::checkpoint
