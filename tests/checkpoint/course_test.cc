/// The maps of a model over the steps of its training.

#include "attnlaw/checkpoint/inspection/course.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>

#include "attnlaw/checkpoint/inspection/compare.h"
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

/// Models of two heads, or of four heads of half the size, whose layers are those of one training.
class ModelsOfSomeLayers : public testing::Test {
 protected:
  ModelsOfSomeLayers() {
    Draws draws(17);
    for (int layer = 0; layer < 4; ++layer)
      for (MatrixXd* W : {&query_[layer], &key_[layer]}) *W = draws.matrix(2 * kRows, kDimension);
  }
  std::string write(const char* name, const std::vector<int>& layers, int heads = 2) const {
    SyntheticFile file;
    for (const int layer : layers) {
      const std::string stem = "model.layers." + std::to_string(layer) + ".self_attn.";
      file.add(stem + "q_proj.weight", query_[layer]);
      file.add(stem + "k_proj.weight", key_[layer]);
    }
    std::filesystem::create_directories(folder_ / name);
    file.write(folder_ / name / "model.safetensors");
    base::write_atomically((folder_ / name / "config.json").string(),
                           R"({"model_type":"opt","num_attention_heads":)" + std::to_string(heads) + "}");
    return (folder_ / name).string();
  }
  static std::vector<int> layers_of(const Model& model) {
    std::vector<int> layers;
    for (const Layer& layer : model.layers) layers.push_back(layer.index);
    return layers;
  }

  Scratch folder_;
  MatrixXd query_[4], key_[4];
};

TEST_F(ModelsOfSomeLayers, AreComparedInThoseThatAllHave) {
  Model before = open_model(write("a", {0, 1, 2})), after = open_model(write("b", {0, 2, 3}));
  EXPECT_THROW(compare(before, after, {}), std::invalid_argument);
  keep_common_layers({&before, &after});
  for (const Model* model : {&before, &after}) {
    EXPECT_THAT(layers_of(*model), ElementsAre(0, 2));
    ASSERT_EQ(model->skipped.size(), 2U);
    EXPECT_EQ(model->skipped[0].name, "layer 1");
    EXPECT_THAT(model->skipped[0].reason, HasSubstr("is not among the layers of " + after.file));
    EXPECT_EQ(model->skipped[1].name, "layer 3");
    EXPECT_THAT(model->skipped[1].reason, HasSubstr(before.file));
  }
  // The weights of a layer are its own, wherever it stands among the others.
  const std::vector<HeadChange> changes = compare(before, after, {});
  ASSERT_EQ(changes.size(), 4U);
  for (const HeadChange& change : changes) EXPECT_NEAR(change.cosine, 1, 1e-12) << change.layer;
  EXPECT_EQ(changes[3].layer, 2);
}

TEST_F(ModelsOfSomeLayers, WithOtherHeadsAreNotCompared) {
  Model before = open_model(write("a", {0, 1})), after = open_model(write("b", {0, 1}, 4));
  try {
    keep_common_layers({&before, &after});
    FAIL();
  } catch (const std::invalid_argument& error) {
    EXPECT_THAT(error.what(), HasSubstr("layer 0 has 2 heads"));
    EXPECT_THAT(error.what(), HasSubstr("4 heads"));
  }
  EXPECT_THAT(layers_of(before), ElementsAre(0, 1));
}

TEST_F(ModelsOfSomeLayers, AreFollowedInThoseThatAllHave) {
  const std::vector<StepFile> steps{{write("s0", {0, 1, 2}), 0}, {write("s1", {1, 2}), 1}, {write("s2", {0, 2}), 2}};
  EXPECT_THROW(follow(steps, {}, {}), std::invalid_argument);
  const Followed followed = follow(steps, {}, {.keep_going = true});
  ASSERT_EQ(followed.course.heads.size(), 6U);
  for (const HeadStep& head : followed.course.heads) {
    EXPECT_EQ(head.layer, 2);
    EXPECT_NEAR(head.cosine, 1, 1e-12);
  }
  ASSERT_EQ(followed.last.model.skipped.size(), 2U);
  EXPECT_EQ(followed.last.model.skipped[0].name, "layer 0");
  EXPECT_EQ(followed.last.model.skipped[1].name, "layer 1");
}

}  // namespace
}  // namespace attnlaw::checkpoint
