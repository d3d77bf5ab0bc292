// Every layout, written from known maps of heads and read back: the same numbers, whatever the order and the names.
#include "attnlaw/checkpoint/layout/layouts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "attnlaw/base/file.h"
#include "attnlaw/checkpoint/head.h"
#include "attnlaw/checkpoint/inspection/inspect.h"
#include "attnlaw/checkpoint/open.h"
#include "checkpoint/singular_values.h"
#include "checkpoint/synthetic.h"
#include "scratch.h"

namespace attnlaw::checkpoint {
namespace {

using test::all_heads;
using test::Draws;
using test::Fused;
using test::stacked;
using test::SyntheticFile;
using test::SyntheticLayer;

constexpr Eigen::Index kM = 4, kD = 24;

/// A family of models as its files are: names with {} for the layer.
struct Family {
  std::string name;    ///< the row of the table that must be found
  std::string config;  ///< config.json, without the numbers of heads
  int heads, key_heads;
  std::string query, key, value, output;
  std::string fused;
  Fused order = Fused::blocks;
  bool transposed = false;  ///< [in, out]
  bool biases = false;
  std::string heads_key = "num_attention_heads", key_heads_key = "num_key_value_heads";
  Positions positions = Positions::rotary;
};

const std::string kAttention = "model.layers.{}.self_attn.";

const std::vector<Family> kFamilies = {
    {"llama", R"("model_type":"llama")", 6, 2, kAttention + "q_proj", kAttention + "k_proj", kAttention + "v_proj",
     kAttention + "o_proj", ""},
    {"llama", R"("model_type":"qwen2")", 6, 3, kAttention + "q_proj", kAttention + "k_proj", kAttention + "v_proj",
     kAttention + "o_proj", "", Fused::blocks, false, true},
    {"gemma", R"("model_type":"gemma2","query_pre_attn_scalar":16)", 4, 2, kAttention + "q_proj", kAttention + "k_proj",
     kAttention + "v_proj", kAttention + "o_proj", ""},
    {"phi", R"("model_type":"phi","partial_rotary_factor":0.5)", 6, 6, kAttention + "q_proj", kAttention + "k_proj",
     kAttention + "v_proj", kAttention + "dense", "", Fused::blocks, false, true},
    {"phi3", R"("model_type":"phi3")", 6, 2, "", "", "", kAttention + "o_proj", kAttention + "qkv_proj"},
    {"baichuan", R"("model_type":"baichuan")", 6, 6, "", "", "", kAttention + "o_proj", kAttention + "W_pack"},
    {"opt", R"("model_type":"opt")", 6, 6, "model.decoder.layers.{}.self_attn.q_proj",
     "model.decoder.layers.{}.self_attn.k_proj", "model.decoder.layers.{}.self_attn.v_proj",
     "model.decoder.layers.{}.self_attn.out_proj", "", Fused::blocks, false, true, "num_attention_heads", "",
     Positions::learned},
    {"gpt2", R"("model_type":"gpt2")", 6, 6, "", "", "", "transformer.h.{}.attn.c_proj", "transformer.h.{}.attn.c_attn",
     Fused::blocks, true, true, "n_head", "", Positions::learned},
    {"gpt_bigcode", R"("model_type":"gpt_bigcode")", 6, 1, "", "", "", "transformer.h.{}.attn.c_proj",
     "transformer.h.{}.attn.c_attn", Fused::blocks, false, true, "n_head", "", Positions::learned},
    {"gptj", R"("model_type":"gptj","rotary_dim":2)", 6, 6, "transformer.h.{}.attn.q_proj",
     "transformer.h.{}.attn.k_proj", "transformer.h.{}.attn.v_proj", "transformer.h.{}.attn.out_proj", "",
     Fused::blocks, false, false, "n_head", ""},
    {"gpt_neox", R"("model_type":"gpt_neox","rotary_pct":0.5)", 6, 6, "", "", "", "gpt_neox.layers.{}.attention.dense",
     "gpt_neox.layers.{}.attention.query_key_value", Fused::per_head, false, true, "num_attention_heads", ""},
    {"bloom", R"("model_type":"bloom")", 6, 6, "", "", "", "transformer.h.{}.self_attention.dense",
     "transformer.h.{}.self_attention.query_key_value", Fused::per_head, false, true, "n_head", "", Positions::alibi},
    {"falcon", R"("model_type":"falcon","multi_query":false,"alibi":true)", 6, 6, "", "", "",
     "transformer.h.{}.self_attention.dense", "transformer.h.{}.self_attention.query_key_value", Fused::per_head, false,
     true, "num_attention_heads", "", Positions::alibi},
    {"falcon-multi-query", R"("model_type":"falcon","multi_query":true,"num_kv_heads":6)", 6, 1, "", "", "",
     "transformer.h.{}.self_attention.dense", "transformer.h.{}.self_attention.query_key_value", Fused::blocks, false,
     false, "num_attention_heads", ""},
    {"falcon-groups", R"("model_type":"falcon","new_decoder_architecture":true)", 6, 2, "", "", "",
     "transformer.h.{}.self_attention.dense", "transformer.h.{}.self_attention.query_key_value", Fused::groups, false,
     false, "num_attention_heads", "num_kv_heads"},
    {"internlm2", R"("model_type":"internlm2")", 6, 2, "", "", "", "model.layers.{}.attention.wo",
     "model.layers.{}.attention.wqkv", Fused::groups},
    {"mpt", R"("model_type":"mpt")", 6, 6, "", "", "", "transformer.blocks.{}.attn.out_proj",
     "transformer.blocks.{}.attn.Wqkv", Fused::blocks, false, false, "n_heads", "", Positions::alibi},
    {"timm", "", 6, 6, "", "", "", "blocks.{}.attn.proj", "blocks.{}.attn.qkv", Fused::blocks, false, true,
     "num_attention_heads", "", Positions::learned},
    {"bert", R"("model_type":"bert")", 6, 6, "bert.encoder.layer.{}.attention.self.query",
     "bert.encoder.layer.{}.attention.self.key", "bert.encoder.layer.{}.attention.self.value",
     "bert.encoder.layer.{}.attention.output.dense", "", Fused::blocks, false, true, "num_attention_heads", "",
     Positions::learned},
    // all-MiniLM: the same without "bert."
    {"bert", R"("model_type":"bert")", 6, 6, "encoder.layer.{}.attention.self.query",
     "encoder.layer.{}.attention.self.key", "encoder.layer.{}.attention.self.value",
     "encoder.layer.{}.attention.output.dense", "", Fused::blocks, false, true, "num_attention_heads", "",
     Positions::learned},
    {"bert", R"("model_type":"roberta")", 6, 6, "roberta.encoder.layer.{}.attention.self.query",
     "roberta.encoder.layer.{}.attention.self.key", "roberta.encoder.layer.{}.attention.self.value",
     "roberta.encoder.layer.{}.attention.output.dense", "", Fused::blocks, false, true, "num_attention_heads", "",
     Positions::learned},
    {"distilbert", R"("model_type":"distilbert")", 6, 6, "distilbert.transformer.layer.{}.attention.q_lin",
     "distilbert.transformer.layer.{}.attention.k_lin", "distilbert.transformer.layer.{}.attention.v_lin",
     "distilbert.transformer.layer.{}.attention.out_lin", "", Fused::blocks, false, true, "n_heads", "",
     Positions::learned},
    {"albert", R"("model_type":"albert")", 6, 6,
     "albert.encoder.albert_layer_groups.{}.albert_layers.0.attention.query",
     "albert.encoder.albert_layer_groups.{}.albert_layers.0.attention.key",
     "albert.encoder.albert_layer_groups.{}.albert_layers.0.attention.value",
     "albert.encoder.albert_layer_groups.{}.albert_layers.0.attention.dense", "", Fused::blocks, false, true,
     "num_attention_heads", "", Positions::learned},
    {"vit", R"("model_type":"vit")", 6, 6, "vit.encoder.layer.{}.attention.attention.query",
     "vit.encoder.layer.{}.attention.attention.key", "vit.encoder.layer.{}.attention.attention.value",
     "vit.encoder.layer.{}.attention.output.dense", "", Fused::blocks, false, true, "num_attention_heads", "",
     Positions::learned},
    {"t5", R"("model_type":"t5","d_kv":4)", 6, 6, "encoder.block.{}.layer.0.SelfAttention.q",
     "encoder.block.{}.layer.0.SelfAttention.k", "encoder.block.{}.layer.0.SelfAttention.v",
     "encoder.block.{}.layer.0.SelfAttention.o", "", Fused::blocks, false, false, "num_heads", "", Positions::relative},
    {"cohere", R"("model_type":"cohere")", 6, 2, kAttention + "q_proj", kAttention + "k_proj", kAttention + "v_proj",
     kAttention + "o_proj", ""},
    {"bart", R"("model_type":"bart")", 6, 6, "model.encoder.layers.{}.self_attn.q_proj",
     "model.encoder.layers.{}.self_attn.k_proj", "model.encoder.layers.{}.self_attn.v_proj",
     "model.encoder.layers.{}.self_attn.out_proj", "", Fused::blocks, false, true, "encoder_attention_heads", "",
     Positions::learned},
    {"clip", R"("model_type":"clip_vision_model")", 6, 6, "vision_model.encoder.layers.{}.self_attn.q_proj",
     "vision_model.encoder.layers.{}.self_attn.k_proj", "vision_model.encoder.layers.{}.self_attn.v_proj",
     "vision_model.encoder.layers.{}.self_attn.out_proj", "", Fused::blocks, false, true, "num_attention_heads", "",
     Positions::learned},
    {"torch", "", 6, 6, "", "", "", "layers.{}.self_attn.out_proj", "layers.{}.self_attn.in_proj", Fused::blocks, false,
     true, "num_attention_heads", "", Positions::unknown},
    {"open_clip", "", 6, 6, "", "", "", "visual.transformer.resblocks.{}.attn.out_proj",
     "visual.transformer.resblocks.{}.attn.in_proj", Fused::blocks, false, true, "num_attention_heads", "",
     Positions::learned},
    {"qwen", R"("model_type":"qwen")", 6, 6, "", "", "", "transformer.h.{}.attn.c_proj", "transformer.h.{}.attn.c_attn",
     Fused::blocks, false, true, "num_attention_heads", ""},
    {"gpt_neo", R"("model_type":"gpt_neo")", 6, 6, "transformer.h.{}.attn.attention.q_proj",
     "transformer.h.{}.attn.attention.k_proj", "transformer.h.{}.attn.attention.v_proj",
     "transformer.h.{}.attn.attention.out_proj", "", Fused::blocks, false, false, "num_heads", "", Positions::learned},
    {"chatglm", R"("model_type":"chatglm")", 6, 2, "", "", "", "transformer.encoder.layers.{}.self_attention.dense",
     "transformer.encoder.layers.{}.self_attention.query_key_value", Fused::blocks, false, true, "num_attention_heads",
     "multi_query_group_num"},
    {"phi-mixer", R"("model_type":"phi-msft")", 6, 6, "", "", "", "transformer.h.{}.mixer.out_proj",
     "transformer.h.{}.mixer.Wqkv", Fused::blocks, false, true, "n_head", ""},
    {"deberta", R"("model_type":"deberta-v2")", 6, 6, "deberta.encoder.layer.{}.attention.self.query_proj",
     "deberta.encoder.layer.{}.attention.self.key_proj", "deberta.encoder.layer.{}.attention.self.value_proj",
     "deberta.encoder.layer.{}.attention.output.dense", "", Fused::blocks, false, true, "num_attention_heads", "",
     Positions::relative},
    {"mpnet", R"("model_type":"mpnet")", 6, 6, "mpnet.encoder.layer.{}.attention.attn.q",
     "mpnet.encoder.layer.{}.attention.attn.k", "mpnet.encoder.layer.{}.attention.attn.v",
     "mpnet.encoder.layer.{}.attention.attn.o", "", Fused::blocks, false, true, "num_attention_heads", "",
     Positions::relative},
    {"wav2vec2", R"("model_type":"wav2vec2")", 6, 6, "wav2vec2.encoder.layers.{}.attention.q_proj",
     "wav2vec2.encoder.layers.{}.attention.k_proj", "wav2vec2.encoder.layers.{}.attention.v_proj",
     "wav2vec2.encoder.layers.{}.attention.out_proj", "", Fused::blocks, false, true, "num_attention_heads", "",
     Positions::relative},
    {"gguf", "", 6, 2, "", "", "", "blk.{}.attn_output", "blk.{}.attn_qkv", Fused::blocks, false, true,
     "num_attention_heads", "num_key_value_heads", Positions::unknown},
    {"meta-llama", "", 6, 2, "layers.{}.attention.wq", "layers.{}.attention.wk", "layers.{}.attention.wv",
     "layers.{}.attention.wo", ""},
    {"projections", "", 6, 6, "blocks.{}.attn.q_proj", "blocks.{}.attn.k_proj", "blocks.{}.attn.v_proj",
     "blocks.{}.attn.o_proj", "", Fused::blocks, false, true, "num_attention_heads", "", Positions::unknown},
};

/// The name of a weight or a bias; nn.MultiheadAttention joins the words by an underscore.
std::string parameter(const std::string& name, const std::string& kind, int layer) {
  return with_layer(name, layer) + (name.ends_with("in_proj") ? "_" : ".") + kind;
}

Eigen::MatrixXd turned(const Family& family, const Eigen::MatrixXd& matrix) {
  return family.transposed ? Eigen::MatrixXd(matrix.transpose()) : matrix;
}

void add_layer(const Family& family, const SyntheticLayer& layer, int index, SyntheticFile& file) {
  const auto add = [&](const std::string& name, const Eigen::MatrixXd& weight, const Eigen::VectorXd& bias) {
    file.add(parameter(name, "weight", index), turned(family, weight));
    if (family.biases) file.add_vector(parameter(name, "bias", index), bias);
  };
  if (family.fused.empty()) {
    add(family.query, stacked(layer.query), stacked(layer.query_bias));
    add(family.key, stacked(layer.key), stacked(layer.key_bias));
    add(family.value, stacked(layer.value), stacked(layer.value_bias));
  } else {
    add(family.fused, stacked(in_order(family.order, layer.query, layer.key, layer.value)),
        stacked(in_order(family.order, layer.query_bias, layer.key_bias, layer.value_bias)));
  }
  file.add(parameter(family.output, "weight", index), turned(family, stacked(layer.output).transpose()));
}

void expect_same(const Family& family, const SyntheticLayer& layer, const std::vector<Head>& heads) {
  ASSERT_EQ(static_cast<int>(heads.size()), family.heads);
  const std::size_t shared = layer.query.size() / layer.key.size();
  for (std::size_t h = 0; h < heads.size(); ++h) {
    EXPECT_EQ(heads[h].query, layer.query[h]) << "head " << h;
    EXPECT_EQ(heads[h].key, layer.key[h / shared]) << "head " << h;
    EXPECT_EQ(heads[h].value, layer.value[h / shared]) << "head " << h;
    EXPECT_EQ(heads[h].output, layer.output[h]) << "head " << h;
    if (family.biases) {
      EXPECT_EQ(heads[h].query_bias, layer.query_bias[h]) << "head " << h;
      EXPECT_EQ(heads[h].key_bias, layer.key_bias[h / shared]) << "head " << h;
    } else {
      EXPECT_EQ(heads[h].query_bias.size() + heads[h].key_bias.size(), 0);
    }
  }
}

class LayoutOf : public testing::TestWithParam<Family> {
 protected:
  LayoutOf() {
    Draws draws(7);
    SyntheticFile file;
    for (int index = 0; index < 2; ++index) {
      layers_.push_back(random_layer(draws, GetParam().heads, GetParam().key_heads, kM, kD));
      add_layer(GetParam(), layers_.back(), index, file);
    }
    file.write(folder_ / "model.safetensors");
  }

  void write_config() const { write_config(layers_.front()); }
  void write_config(const SyntheticLayer& layer) const {
    const Family& family = GetParam();
    std::string text = "{" + family.config + (family.config.empty() ? "" : ",") + "\"" + family.heads_key +
                       "\":" + std::to_string(layer.heads());
    if (!family.key_heads_key.empty()) text += ",\"" + family.key_heads_key + "\":" + std::to_string(layer.key_heads());
    folder_.write("config.json", text + ",\"head_dim\":" + std::to_string(layer.m()) + "}");
  }

  void expect_all(const Model& model) const {
    std::size_t index = 0;
    visit_heads(model, [&](std::vector<Head>&& heads) { expect_same(GetParam(), layers_[index++], heads); });
    EXPECT_EQ(index, layers_.size());
  }

  test::Scratch folder_;
  std::vector<SyntheticLayer> layers_;
};

TEST_P(LayoutOf, IsReadWithItsConfiguration) {
  write_config();
  const Model model = open_model(folder_.path().string());
  expect_all(model);
  EXPECT_EQ(model.positions, GetParam().positions);
  EXPECT_EQ(model.layers[0].block, "");
  EXPECT_THAT(model.skipped, testing::IsEmpty());
}

TEST_P(LayoutOf, IsReadWithItsNameAndHeadsByHand) {
  const Family& family = GetParam();
  expect_all(open_model((folder_ / "model.safetensors").string(),
                        {.heads = family.heads, .kv_heads = family.key_heads, .layout = family.name}));
}

/// All families have heads of one shape here, which share their tables.
NullTables& shared_tables() {
  static NullTables tables(3, 0);
  return tables;
}

TEST_P(LayoutOf, IsInspectedWithItsPlantedHeads) {
  // Twice as many heads as above fill d.
  constexpr Eigen::Index m = 16, d = 192;
  constexpr double kStrength = 4;
  const Family& family = GetParam();
  Draws draws(8);
  const int key_heads = family.key_heads == 1 ? 1 : 2 * family.key_heads;
  SyntheticLayer layer = random_layer(draws, 2 * family.heads, key_heads, m, d);
  const int planted = layer.heads() - 1;
  const Eigen::VectorXd u = draws.matrix(d, 1).col(0).normalized(), v = draws.matrix(d, 1).col(0).normalized();
  plant_spike(layer, planted, kStrength, u, v);
  // A tied head, where every head has its own keys.
  const bool ties = layer.key_heads() == layer.heads();
  if (ties) layer.key[0] = layer.query[0];
  SyntheticFile file;
  add_layer(family, layer, 0, file);
  file.write(folder_ / "model.safetensors");
  write_config(layer);
  InspectOptions options{.nulls = {.table_draws = 2000}, .keep_directions = true, .seed = 3};
  const Inspection found = inspect(open_model(folder_.path().string()), options, shared_tables());
  ASSERT_EQ(found.heads.size(), static_cast<std::size_t>(layer.heads()));
  const HeadReport& head = found.heads[static_cast<std::size_t>(planted)];
  ASSERT_EQ(head.outliers.status, OutlierStatus::counted);
  ASSERT_EQ(head.outliers.count, 1);
  EXPECT_NEAR(head.outliers.outliers[0].strength, kStrength, 0.05 * kStrength);
  EXPECT_LT(head.product_holm, 0.01);
  const auto at = std::find_if(found.directions.begin(), found.directions.end(),
                               [&](const OutlierDirections& of) { return of.head == planted; });
  ASSERT_NE(at, found.directions.end());
  EXPECT_GT(std::pow(at->left.col(0).dot(u), 2), 0.9);
  EXPECT_GT(std::pow(at->right.col(0).dot(v), 2), 0.9);
  EXPECT_EQ(!std::isnan(found.heads[0].tests.tied.p), ties);
  EXPECT_EQ(found.heads[0].symmetry.symmetric_share > 1 - 1e-12, ties);
}

TEST(Layouts, HaveAFamilyEach) {
  // Those that heads_test.cc and formats_test.cc write: three blocks, matrices for each head, bare arrays.
  std::vector<std::string> written = {"whisper", "transformer_lens", "arrays"};
  for (const Family& family : kFamilies) written.push_back(family.name);
  for (const std::string& name : layout_names()) EXPECT_THAT(written, testing::Contains(name));
}

std::string name_of(const testing::TestParamInfo<Family>& family) {
  std::string name = family.param.name + std::to_string(family.index);
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}

INSTANTIATE_TEST_SUITE_P(Families, LayoutOf, testing::ValuesIn(kFamilies), name_of);

}  // namespace
}  // namespace attnlaw::checkpoint
