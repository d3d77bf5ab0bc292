// Adapters of low rank: alone, and added to their base.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "attnlaw/base/file.h"
#include "attnlaw/checkpoint/head.h"
#include "attnlaw/checkpoint/open.h"
#include "checkpoint/singular_values.h"
#include "checkpoint/synthetic.h"
#include "scratch.h"

namespace attnlaw::checkpoint {
namespace {

using Eigen::MatrixXd;
using test::all_heads;
using test::Draws;
using test::stacked;
using test::SyntheticFile;
using test::SyntheticLayer;
using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;

constexpr double kTolerance = 1e-12;

/// A base of four heads with two key heads, and an adapter of rank 2 on queries and keys with lora_alpha = 8.
class Adapter : public testing::Test {
 protected:
  Adapter() : layer_(random_layer(draws_, 4, 2, 4, 16)) {
    SyntheticFile base, adapter;
    base.add("model.layers.0.self_attn.q_proj.weight", stacked(layer_.query));
    base.add("model.layers.0.self_attn.k_proj.weight", stacked(layer_.key));
    base.write(base_ / "model.safetensors");
    base_.write("config.json", R"({"model_type":"llama","num_attention_heads":4,"num_key_value_heads":2})");
    for (const auto& [name, a, b] : {std::tuple("q_proj", &a_q_, &b_q_), std::tuple("k_proj", &a_k_, &b_k_)}) {
      const std::string module = std::string("base_model.model.model.layers.0.self_attn.") + name;
      adapter.add(module + ".lora_A.weight", *a);
      adapter.add(module + ".lora_B.weight", *b);
    }
    adapter.write(folder_ / "adapter_model.safetensors");
    write_config(R"({"peft_type":"LORA","r":2,"lora_alpha":8})");
  }

  void write_config(const std::string& text) const { folder_.write("adapter_config.json", text); }
  std::string path() const { return folder_.path().string(); }

  Draws draws_{21};
  SyntheticLayer layer_;
  MatrixXd a_q_ = draws_.matrix(2, 16), b_q_ = draws_.matrix(16, 2), a_k_ = draws_.matrix(2, 16),
           b_k_ = draws_.matrix(8, 2);
  test::Scratch base_, folder_;
};

TEST_F(Adapter, AloneIsItsProductOfLowRank) {
  const Model model = open_model(path(), {.heads = 4});
  EXPECT_TRUE(model.adapter_alone);
  const std::vector<Head> heads = all_heads(model);
  ASSERT_EQ(heads.size(), 4u);
  EXPECT_LT((heads[3].query - 4 * b_q_.bottomRows(4) * a_q_).norm(), kTolerance);
  EXPECT_LT((heads[3].key - 4 * b_k_.bottomRows(4) * a_k_).norm(), kTolerance);
}

TEST_F(Adapter, WithItsBaseIsTheSum) {
  const Model model = open_model(path(), {.base = base_.path().string()});
  EXPECT_FALSE(model.adapter_alone);
  const std::vector<Head> heads = all_heads(model);
  EXPECT_LT((heads[2].query - (layer_.query[2] + 4 * b_q_.middleRows(8, 4) * a_q_)).norm(), kTolerance);
  EXPECT_LT((heads[2].key - (layer_.key[1] + 4 * b_k_.bottomRows(4) * a_k_)).norm(), kTolerance);
}

TEST_F(Adapter, RankStabilisedScaleIsAlphaOverTheRoot) {
  write_config(R"({"lora_alpha":8,"use_rslora":true})");
  const std::vector<Head> heads = all_heads(open_model(path(), {.heads = 4}));
  EXPECT_LT((heads[0].query - 8 / std::sqrt(2.0) * b_q_.topRows(4) * a_q_).norm(), kTolerance);
}

TEST_F(Adapter, OfAGainIsDecodedWithItsProduct) {
  const MatrixXd a = draws_.matrix(2, 1), b = draws_.matrix(4, 2);
  SyntheticFile adapter;
  for (const char* name : {"q_proj", "k_proj"}) {
    const std::string module = std::string("model.layers.0.self_attn.") + name;
    adapter.add(module + ".lora_A.weight", a_q_);
    adapter.add(module + ".lora_B.weight", b_q_);
  }
  adapter.add("model.layers.0.self_attn.q_norm.lora_A.weight", a);
  adapter.add("model.layers.0.self_attn.q_norm.lora_B.weight", b);
  adapter.write(folder_ / "adapter_model.safetensors");
  const std::vector<Head> heads = all_heads(open_model(path(), {.heads = 4}));
  const Eigen::VectorXd gain = 4 * b * a;
  EXPECT_LT((heads[1].query - gain.asDiagonal() * (4 * b_q_.middleRows(4, 4) * a_q_)).norm(), 1e-10);
  EXPECT_LT((heads[1].key - 4 * b_q_.middleRows(4, 4) * a_q_).norm(), kTolerance);
}

/// Options that name tensors would not help.
TEST_F(Adapter, OfQueriesAloneNeedsItsBase) {
  SyntheticFile adapter;
  adapter.add("model.layers.0.self_attn.q_proj.lora_A.weight", a_q_);
  adapter.add("model.layers.0.self_attn.q_proj.lora_B.weight", b_q_);
  adapter.write(folder_ / "adapter_model.safetensors");
  try {
    open_model(path(), {.heads = 4});
    FAIL();
  } catch (const base::FileError& error) {
    EXPECT_THAT(error.what(),
                AllOf(HasSubstr("q_proj"), EndsWith("does not change the keys of its layer; give its base")));
  }
}

TEST_F(Adapter, MeansOneTensorOfItsBase) {
  const auto message = [&] {
    try {
      open_model(path(), {.base = base_.path().string()});
    } catch (const base::FileError& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  const auto change = [&](const std::vector<std::string>& modules) {
    SyntheticFile adapter;
    for (const std::string& module : modules) {
      adapter.add(module + ".q_proj.lora_A.weight", a_q_);
      adapter.add(module + ".q_proj.lora_B.weight", b_q_);
    }
    adapter.write(folder_ / "adapter_model.safetensors");
  };
  const auto keep = [&](const std::vector<std::string>& prefixes) {
    SyntheticFile base;
    for (const std::string& prefix : prefixes) {
      base.add(prefix + "layers.0.self_attn.q_proj.weight", stacked(layer_.query));
      base.add(prefix + "layers.0.self_attn.k_proj.weight", stacked(layer_.key));
    }
    base.write(base_ / "model.safetensors");
  };
  change({"layers.0.self_attn"});
  EXPECT_EQ(message(), "");
  change({"layers.0.self_attn", "x.model.layers.0.self_attn"});
  EXPECT_THAT(message(), HasSubstr("changes the tensor 'model.layers.0.self_attn.q_proj.weight' of the base twice"));
  change({"layers.0.self_attn"});
  keep({"text.", "vision."});
  EXPECT_THAT(message(), HasSubstr("may be 'text.layers.0.self_attn.q_proj.weight' or "
                                   "'vision.layers.0.self_attn.q_proj.weight'"));
}

TEST_F(Adapter, OtherKindsAndOtherBasesAreRefused) {
  const auto message = [&](const OpenOptions& options) -> std::string {
    try {
      open_model(path(), options);
    } catch (const base::FileError& error) {
      return error.what();
    }
    return "";
  };
  SyntheticFile other;
  other.add("model.layers.0.self_attn.q_proj.weight", draws_.matrix(8, 8));
  other.add("model.layers.0.self_attn.k_proj.weight", draws_.matrix(8, 8));
  const test::Scratch other_folder;
  other.write(other_folder / "model.safetensors");
  EXPECT_THAT(message({.base = other_folder.path().string()}), HasSubstr("the base has the shape [8, 8]"));
  write_config(R"({"lora_alpha":8,"use_dora":true})");
  EXPECT_THAT(message({.heads = 4}), HasSubstr("DoRA"));
  write_config(R"({"lora_alpha":8,"peft_type":"ADALORA"})");
  EXPECT_THAT(message({.heads = 4}), HasSubstr("other peft_type than LORA"));
  write_config(R"({"r":2})");
  EXPECT_THAT(message({.heads = 4}), HasSubstr("lora_alpha must be a number"));
}

}  // namespace
}  // namespace attnlaw::checkpoint
