// What heads mean: planted and tied maps, normalisation, positions, several models in one file, what the user says by
// hand.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numeric>

#include "attnlaw/base/file.h"
#include "attnlaw/checkpoint/head.h"
#include "attnlaw/checkpoint/inspection/inspect.h"
#include "attnlaw/checkpoint/inspection/rotary.h"
#include "attnlaw/checkpoint/inspection/vocabulary.h"
#include "attnlaw/checkpoint/open.h"
#include "checkpoint/singular_values.h"
#include "checkpoint/synthetic.h"
#include "scratch.h"

namespace attnlaw::checkpoint {
namespace {

using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::VectorXd;
using test::all_heads;
using test::Draws;
using test::refusal;
using test::Scratch;
using test::singular_values;
using test::stacked;
using test::SyntheticFile;
using test::SyntheticLayer;
using testing::HasSubstr;

const std::string kAttention = "model.layers.0.self_attn.";

void add_projections(SyntheticFile& file, const std::string& prefix, const SyntheticLayer& layer,
                     const std::string& output) {
  file.add(prefix + "q_proj.weight", stacked(layer.query));
  file.add(prefix + "k_proj.weight", stacked(layer.key));
  file.add(prefix + "v_proj.weight", stacked(layer.value));
  file.add(prefix + output + ".weight", stacked(layer.output).transpose());
}

std::string rejection(const std::function<void()>& action) {
  try {
    action();
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return "was not rejected";
}

TEST(Heads, PlantedSpikeStandsOutWithItsStrengthAndDirections) {
  Draws draws(1);
  const Index m = 8, d = 128;
  SyntheticLayer layer = random_layer(draws, 4, 2, m, d);
  const VectorXd u = draws.matrix(d, 1).col(0).normalized(), v = draws.matrix(d, 1).col(0).normalized();
  const double strength = 6;
  plant_spike(layer, 3, strength, u, v);
  SyntheticFile file;
  add_projections(file, kAttention, layer, "o_proj");
  const Scratch folder;
  file.write(folder / "model.safetensors");
  const Head head = all_heads(open_model((folder / "model.safetensors").string(), {.heads = 4}))[3];
  const MatrixXd map = head.query.transpose() * head.key;
  // uᵀ S v is the strength and the noise of the other coordinates, Σ q_i·u k_i·v, of variance m − 1.
  const double noise = std::sqrt(static_cast<double>(m - 1));
  EXPECT_NEAR(u.dot(map * v), strength * d, 5 * noise);
  EXPECT_GT(singular_values(head)[0], 0.9 * strength * d);
}

TEST(Heads, TiedHeadHasASymmetricPositiveMap) {
  Draws draws(2);
  SyntheticLayer layer = random_layer(draws, 2, 2, 4, 16);
  layer.key[1] = layer.query[1];
  SyntheticFile file;
  add_projections(file, kAttention, layer, "o_proj");
  const Scratch folder;
  file.write(folder / "model.safetensors");
  const Head head = all_heads(open_model((folder / "model.safetensors").string(), {.heads = 2}))[1];
  EXPECT_EQ(head.query, head.key);
}

/// The maps of the only layer of a file with the given configuration, folded or not.
Head first_head(const SyntheticFile& file, const std::string& config, bool folded) {
  const Scratch folder;
  file.write(folder / "model.safetensors");
  folder.write("config.json", config);
  return all_heads(open_model(folder.path().string(), {.fold_normalisation = folded}))[0];
}

TEST(Heads, FoldedLayerNormGivesTheSameQueries) {
  Draws draws(3);
  const Index m = 4, d = 16;
  const SyntheticLayer layer = random_layer(draws, 4, 4, m, d);
  SyntheticFile file;
  file.add("h.0.attn.c_attn.weight",
           stacked(in_order(test::Fused::blocks, layer.query, layer.key, layer.value)).transpose());
  file.add_vector("h.0.attn.c_attn.bias",
                  stacked(in_order(test::Fused::blocks, layer.query_bias, layer.key_bias, layer.value_bias)));
  const VectorXd gain = draws.matrix(d, 1), shift = draws.matrix(d, 1);
  file.add_vector("h.0.ln_1.weight", gain);
  file.add_vector("h.0.ln_1.bias", shift);
  const Head head = first_head(file, R"({"model_type":"gpt2","n_head":4})", true);
  VectorXd normalised = draws.matrix(d, 1);
  normalised.array() -= normalised.mean();
  const VectorXd seen = gain.cwiseProduct(normalised) + shift;
  EXPECT_LT((head.query * normalised + head.query_bias - (layer.query[0] * seen + layer.query_bias[0])).norm(), 1e-12);
  EXPECT_LT((head.key * normalised + head.key_bias - (layer.key[0] * seen + layer.key_bias[0])).norm(), 1e-12);
  // Centring: the constant direction is not seen.
  EXPECT_LT((head.query * VectorXd::Ones(d)).norm(), 1e-12);
}

TEST(Heads, GainOfGemmaIsOneMoreThanItsWeight) {
  Draws draws(4);
  const SyntheticLayer layer = random_layer(draws, 1, 1, 4, 16);
  SyntheticFile file;
  add_projections(file, kAttention, layer, "o_proj");
  const VectorXd weight = draws.matrix(16, 1);
  file.add_vector("model.layers.0.input_layernorm.weight", weight);
  const std::string heads = R"("num_attention_heads":1})";
  const MatrixXd plus_one = layer.query[0] * (weight.array() + 1).matrix().asDiagonal();
  const MatrixXd plain = layer.query[0] * weight.asDiagonal();
  EXPECT_LT((first_head(file, R"({"model_type":"gemma",)" + heads, true).query - plus_one).norm(), 1e-12);
  EXPECT_LT((first_head(file, R"({"model_type":"llama",)" + heads, true).query - plain).norm(), 1e-12);
  EXPECT_EQ(first_head(file, R"({"model_type":"llama",)" + heads, false).query, layer.query[0]);
}

TEST(Heads, GainsOfQueriesAndKeysMultiplyTheirRows) {
  Draws draws(5);
  const SyntheticLayer layer = random_layer(draws, 2, 1, 4, 16);
  SyntheticFile file;
  add_projections(file, kAttention, layer, "o_proj");
  const VectorXd query_gain = draws.matrix(4, 1), key_gain = draws.matrix(4, 1);
  file.add_vector(kAttention + "q_norm.weight", query_gain);
  file.add_vector(kAttention + "k_norm.weight", key_gain);
  const Head head =
      first_head(file, R"({"model_type":"qwen3","num_attention_heads":2,"num_key_value_heads":1})", false);
  EXPECT_EQ(head.query, query_gain.asDiagonal() * layer.query[0]);
  EXPECT_EQ(head.key, key_gain.asDiagonal() * layer.key[0]);
}

TEST(Heads, PostNormIsNotFoldedAndSaysWhy) {
  Draws draws(6);
  SyntheticFile file;
  const SyntheticLayer layer = random_layer(draws, 2, 2, 4, 16);
  file.add("encoder.layer.0.attention.self.query.weight", stacked(layer.query));
  file.add("encoder.layer.0.attention.self.key.weight", stacked(layer.key));
  file.add_vector("encoder.layer.0.attention.output.LayerNorm.weight", draws.matrix(16, 1));
  const Scratch folder;
  file.write(folder / "model.safetensors");
  const Model model = open_model(folder.path().string(), {.heads = 2, .fold_normalisation = true});
  EXPECT_THAT(model.layers[0].no_folding, HasSubstr("behind the residual sum"));
  EXPECT_FALSE(model.folded);
  EXPECT_THAT(model.notes, testing::Contains(HasSubstr("No gain is folded into 1 of 1 layer,")));
  EXPECT_EQ(all_heads(model)[0].query, layer.query[0]);
  EXPECT_FALSE(model.layers[0].has_values);
}

TEST(Heads, WhisperHasThreeBlocks) {
  Draws draws(7);
  SyntheticFile file;
  const SyntheticLayer encoder = random_layer(draws, 3, 3, 4, 12), decoder = random_layer(draws, 3, 3, 4, 12),
                       cross = random_layer(draws, 3, 3, 4, 12);
  add_projections(file, "model.encoder.layers.0.self_attn.", encoder, "out_proj");
  add_projections(file, "model.decoder.layers.0.self_attn.", decoder, "out_proj");
  add_projections(file, "model.decoder.layers.0.encoder_attn.", cross, "out_proj");
  const Scratch folder;
  file.write(folder / "model.safetensors");
  folder.write("config.json",
               R"({"model_type":"whisper","encoder_attention_heads":3,"decoder_attention_heads":3,"d_model":12})");
  const Model model = open_model(folder.path().string());
  ASSERT_EQ(model.layers.size(), 3u);
  std::vector<std::string> blocks;
  for (const Layer& layer : model.layers) blocks.push_back(layer.block);
  EXPECT_THAT(blocks, testing::ElementsAre("encoder", "decoder", "cross"));
  EXPECT_TRUE(model.layers[2].cross);
  const std::vector<Head> heads = all_heads(model);
  EXPECT_EQ(heads[0].query, encoder.query[0]);
  EXPECT_EQ(heads[3].query, decoder.query[0]);
  EXPECT_EQ(heads[6].key, cross.key[0]);
}

TEST(Heads, PartsOfAModelHaveTheirOwnConfigurations) {
  Draws draws(8);
  SyntheticFile file;
  add_projections(file, "text_model.encoder.layers.0.self_attn.", random_layer(draws, 4, 4, 4, 16), "out_proj");
  add_projections(file, "vision_model.encoder.layers.0.self_attn.", random_layer(draws, 3, 3, 8, 24), "out_proj");
  const Scratch folder;
  file.write(folder / "model.safetensors");
  folder.write(
      "config.json",
      R"({"model_type":"clip","text_config":{"num_attention_heads":4},"vision_config":{"num_attention_heads":3}})");
  const Model model = open_model(folder.path().string());
  ASSERT_EQ(model.layers.size(), 2u);
  EXPECT_EQ(model.layers[0].block, "text_model.encoder");
  EXPECT_EQ(model.layers[0].head_dimension, 4);
  EXPECT_EQ(model.layers[1].block, "vision_model.encoder");
  EXPECT_EQ(model.layers[1].head_dimension, 8);
}

TEST(Heads, TransformerLensStoresAMatrixForEachHead) {
  Draws draws(9);
  const SyntheticLayer layer = random_layer(draws, 3, 3, 4, 16);
  SyntheticFile file;
  const auto add = [&](const std::string& name, const std::vector<MatrixXd>& heads, bool input_first) {
    std::vector<float> numbers;
    for (const MatrixXd& head : heads) {
      const MatrixXd stored = input_first ? MatrixXd(head.transpose()) : head;
      for (Index i = 0; i < stored.rows(); ++i)
        for (Index j = 0; j < stored.cols(); ++j) numbers.push_back(static_cast<float>(stored(i, j)));
    }
    file.add("blocks.0.attn." + name, {3, input_first ? 16u : 4u, input_first ? 4u : 16u}, numbers);
  };
  add("W_Q", layer.query, true);
  add("W_K", layer.key, true);
  add("W_V", layer.value, true);
  add("W_O", layer.output, false);
  file.add("blocks.0.attn.b_Q", stacked(layer.query_bias).reshaped(4, 3).transpose());
  const Scratch folder;
  file.write(folder / "model.safetensors");
  const std::vector<Head> heads = all_heads(open_model(folder.path().string()));
  ASSERT_EQ(heads.size(), 3u);
  for (std::size_t h = 0; h < 3; ++h) {
    EXPECT_EQ(heads[h].query, layer.query[h]);
    EXPECT_EQ(heads[h].key, layer.key[h]);
    EXPECT_EQ(heads[h].value, layer.value[h]);
    EXPECT_EQ(heads[h].output, layer.output[h]);
    EXPECT_EQ(heads[h].query_bias, layer.query_bias[h]);
  }
}

TEST(Heads, MatricesForEachHeadMustHaveItsShape) {
  using Shape = std::vector<std::size_t>;
  const auto open = [](const std::map<std::string, Shape>& shapes) {
    SyntheticFile file;
    for (const auto& [name, shape] : shapes)
      file.add("blocks.0.attn." + name, shape, std::vector<float>(shape[0] * shape[1] * shape[2], 1));
    const Scratch folder;
    file.write(folder / "m.safetensors");
    return open_model((folder / "m.safetensors").string());
  };
  // All have as many numbers as [2, 16, 8].
  EXPECT_THAT(refusal([&] {
                open({{"W_Q", {2, 16, 8}}, {"W_K", {4, 16, 4}}});
              }),
              HasSubstr("W_K is [4, 16, 4]: 2 heads of dimension 8 must lie as [heads, in, dimension]"));
  EXPECT_THAT(refusal([&] { open({{"W_Q", {4, 16, 4}}, {"W_K", {2, 16, 8}}}); }), HasSubstr("W_K is [2, 16, 8]"));
  const std::map<std::string, Shape> right{
      {"W_Q", {2, 16, 8}}, {"W_K", {2, 16, 8}}, {"W_V", {2, 16, 8}}, {"W_O", {2, 8, 16}}};
  EXPECT_TRUE(open(right).layers[0].has_values);
  for (const auto& [name, shape] : {std::pair("W_O", Shape{4, 4, 16}), std::pair("W_V", Shape{4, 16, 4})}) {
    auto wrong = right;
    wrong[name] = shape;
    EXPECT_FALSE(open(wrong).layers[0].has_values) << name;
  }
}

TEST(Heads, OfDifferentSizesTurnInPlanesOfTheirOwn) {
  Draws draws(17);
  const SyntheticLayer wide = random_layer(draws, 2, 2, 16, 32), narrow = random_layer(draws, 8, 8, 4, 32);
  SyntheticFile file;
  add_projections(file, kAttention, wide, "o_proj");
  add_projections(file, "model.layers.1.self_attn.", narrow, "o_proj");
  const Scratch folder;
  file.write(folder / "model.safetensors");
  folder.write("config.json", R"({"model_type":"llama","num_attention_heads":[2,8],"num_key_value_heads":[2,8]})");
  const Model model = open_model(folder.path().string());
  ASSERT_EQ(model.layers.size(), 2u);
  EXPECT_EQ(model.layers[0].rotary.dimensions, 16);
  EXPECT_EQ(model.layers[1].rotary.dimensions, 4);
  const Head head = read_head(model, model.layers[1], 3, Maps::query_key);
  const Factors factors = factors_of(head, model.layers[1], model, {.offset = -5});
  EXPECT_EQ(factors.right, keys_at_offset(narrow.key[3], {10000, 4, false}, -5));
}

TEST(Heads, DistancesAreRefusedWhereAnglesAreOthers) {
  Draws draws(19);
  SyntheticFile file;
  add_projections(file, kAttention, random_layer(draws, 2, 2, 8, 16), "o_proj");
  const auto opened = [&](const std::string& more) {
    const Scratch folder;
    file.write(folder / "model.safetensors");
    folder.write("config.json", R"({"model_type":"llama","num_attention_heads":2)" + more + "}");
    return open_model(folder.path().string());
  };
  for (const auto& [more, reason] :
       {std::pair(R"(,"rope_scaling":{"rope_type":"llama3","factor":8})", "rope_scaling.rope_type: llama3"),
        std::pair(R"(,"rope_scaling":{"type":"linear","factor":2})", "rope_scaling.type: linear"),
        std::pair(R"(,"rope_parameters":{"rope_type":"yarn"})", "rope_parameters.rope_type: yarn"),
        std::pair(R"(,"rope_local_base_freq":10000)", "another base (rope_local_base_freq: 10000)"),
        std::pair(R"(,"rope_ratio":2)", "rope_ratio: 2")}) {
    const Model model = opened(more);
    EXPECT_THAT(model.notes, testing::Contains(HasSubstr(reason)));
    for (const InspectOptions& options : {InspectOptions{.offset = 3}, InspectOptions{.window = 4}})
      EXPECT_THAT(rejection([&] { inspect(model, options); }), HasSubstr(reason));
    EXPECT_TRUE(inspect(model, {.threads = 1}).heads[0].inspected());
  }
  for (const char* plain : {"", R"(,"rope_scaling":null)", R"(,"rope_scaling":{"rope_type":"default"})"}) {
    const Model model = opened(plain);
    EXPECT_THAT(model.notes, testing::Each(testing::Not(HasSubstr("Rotary positions:"))));
    EXPECT_TRUE(inspect(model, {.offset = 3, .threads = 1}).heads[0].inspected());
  }
  // llama.cpp keeps the factors of frequencies in a tensor of their own.
  file.add_vector("rope_freqs.weight", draws.matrix(4, 1));
  EXPECT_THAT(opened("").notes, testing::Contains(HasSubstr("the tensor rope_freqs.weight")));
}

TEST(Heads, WhatTheMapDoesNotSayOfLogitsIsNoted) {
  Draws draws(20);
  const SyntheticLayer layer = random_layer(draws, 2, 2, 8, 16);
  SyntheticFile file;
  add_projections(file, kAttention, layer, "o_proj");
  const auto notes = [&](const std::string& more) {
    const Scratch folder;
    file.write(folder / "model.safetensors");
    folder.write("config.json", R"({"num_attention_heads":2,)" + more + "}");
    return open_model(folder.path().string()).notes;
  };
  EXPECT_THAT(notes(R"("model_type":"olmo","clip_qkv":8.0)"), testing::Contains(HasSubstr("clipped at ±8:")));
  EXPECT_THAT(notes(R"("model_type":"olmo","clip_qkv":null)"), testing::Each(testing::Not(HasSubstr("clipped"))));
  EXPECT_THAT(notes(R"("model_type":"qwen2")"), testing::Each(testing::Not(HasSubstr("Keys have a bias"))));
  file.add_vector(kAttention + "k_proj.bias", stacked(layer.key_bias));
  EXPECT_THAT(notes(R"("model_type":"qwen2")"), testing::Contains(HasSubstr("Keys have a bias")));
}

TEST(Heads, CrossAttentionDoesNotTurn) {
  Draws draws(18);
  SyntheticFile file;
  const SyntheticLayer layer = random_layer(draws, 2, 2, 8, 16);
  add_projections(file, "model.decoder.layers.0.self_attn.", layer, "out_proj");
  add_projections(file, "model.decoder.layers.0.encoder_attn.", layer, "out_proj");
  const Scratch folder;
  file.write(folder / "model.safetensors");
  folder.write("config.json", R"({"model_type":"whisper","decoder_attention_heads":2,"encoder_attention_heads":2,
                                  "position_embedding_type":"rotary"})");
  const Model model = open_model(folder.path().string());
  ASSERT_EQ(model.layers.size(), 2u);
  for (const Layer& of : model.layers) {
    const Factors factors = factors_of(read_head(model, of, 0, Maps::query_key), of, model, {.offset = 3});
    EXPECT_EQ(factors.right == layer.key[0], of.cross) << of.block;
  }
  for (const HeadReport& head : inspect(model, {.threads = 1}).heads)
    EXPECT_EQ(std::isnan(head.offset_energy), head.block == "cross") << head.block;
}

TEST(Heads, OptionsSayWhatTheFileDoesNot) {
  Draws draws(10);
  const SyntheticLayer layer = random_layer(draws, 4, 2, 4, 16);
  SyntheticFile file;
  file.add("net.stage3.to_queries.weight", stacked(layer.query));
  file.add("net.stage3.to_keys.weight", stacked(layer.key));
  const Scratch folder;
  file.write(folder / "model.safetensors");
  const std::string path = folder.path().string();
  EXPECT_THAT(refusal([&] { open_model(path, {.heads = 4}); }),
              testing::AllOf(HasSubstr("net.stage3.to_queries.weight [16, 16] F32"), HasSubstr("--q and --k")));
  const Model model =
      open_model(path, {.heads = 4, .query = "stage{}.to_queries.weight", .key = "stage{}.to_keys.weight"});
  EXPECT_EQ(model.layers[0].index, 3);
  EXPECT_EQ(all_heads(model)[3].key, layer.key[1]);
}

TEST(Heads, UnknownModelsAreNotTakenForOneHead) {
  Draws draws(16);
  SyntheticFile file;
  file.add("net.3.q_proj.weight", draws.matrix(8, 16));
  file.add("net.3.k_proj.weight", draws.matrix(8, 16));
  const Scratch folder;
  file.write(folder / "model.safetensors");
  EXPECT_THAT(rejection([&] { open_model(folder.path().string()); }), HasSubstr("say --heads"));
  const Model model = open_model(folder.path().string(), {.heads = 2});
  EXPECT_EQ(model.layers[0].index, 3);
  EXPECT_EQ(model.layers[0].head_dimension, 4);
}

TEST(Heads, WrongNamesOfTensorsAreAnsweredByTheNearest) {
  Draws draws(14);
  SyntheticFile file;
  const SyntheticLayer layer = random_layer(draws, 2, 2, 4, 16);
  add_projections(file, "model.layers.0.self_attn.", layer, "o_proj");
  const Scratch folder;
  file.write(folder / "model.safetensors");
  const auto open = [&](const std::string& q, const std::string& k) {
    return refusal([&] { open_model(folder.path().string(), {.heads = 2, .query = q, .key = k}); });
  };
  EXPECT_THAT(open("model.layers.{}.self_attn.qproj.weight", "model.layers.{}.self_attn.k_proj.weight"),
              HasSubstr("nearest to model.layers.0.self_attn.qproj.weight: model.layers.0.self_attn.q_proj.weight"));
  EXPECT_THAT(open("model.layers.{}.self_attn.q_proj.weight", "model.layers.{}.self_attn.kproj.weight"),
              HasSubstr("nearest to model.layers.0.self_attn.kproj.weight: model.layers.0.self_attn.k_proj.weight"));
}

TEST(Heads, WrongOptionsAreNamed) {
  Draws draws(11);
  SyntheticFile file;
  add_projections(file, kAttention, random_layer(draws, 4, 2, 4, 16), "o_proj");
  const Scratch folder;
  file.write(folder / "model.safetensors");
  const std::string path = folder.path().string();
  EXPECT_THAT(rejection([&] { open_model(path); }), HasSubstr("say --heads"));
  const std::string file_path = (folder / "model.safetensors").string();
  EXPECT_THAT(rejection([&] { open_model(path, {.heads = 5}); }),
              testing::AllOf(testing::StartsWith(file_path + ": 5 heads of dimension 3 need 15 outputs"),
                             HasSubstr("q_proj.weight is [16, 16]")));
  EXPECT_THAT(rejection([&] { open_model(path, {.heads = 4, .kv_heads = 4}); }),
              HasSubstr("4 key-value heads of dimension 4 need 16"));
  EXPECT_THAT(rejection([&] { open_model(path, {.heads = 4, .kv_heads = 3}); }), HasSubstr("must divide heads = 4"));
  EXPECT_THAT(rejection([&] { open_model(path, {.heads = -1}); }), HasSubstr("-1"));
  EXPECT_THAT(rejection([&] { open_model(path, {.layout = "lama"}); }), HasSubstr("got 'lama'"));
  EXPECT_THAT(rejection([&] { open_model(path, {.query = "q"}); }), HasSubstr("together"));
  EXPECT_THAT(rejection([&] { open_model(path, {.base = "b"}); }), HasSubstr("base is for adapters"));
  EXPECT_THAT(rejection([&] { open_model(""); }), HasSubstr("must be given"));
}

TEST(Heads, WeightsThatAreNotFiniteAreADefectOfTheirHeadAlone) {
  Draws draws(12);
  SyntheticLayer layer = random_layer(draws, 2, 2, 4, 16);
  layer.key[1](2, 3) = std::numeric_limits<double>::quiet_NaN();
  layer.key[1](0, 0) = std::numeric_limits<double>::infinity();
  SyntheticFile file;
  add_projections(file, kAttention, layer, "o_proj");
  const Scratch folder;
  file.write(folder / "model.safetensors");
  const std::vector<Head> heads = all_heads(open_model(folder.path().string(), {.heads = 2}));
  EXPECT_EQ(heads[0].defect, "");
  EXPECT_EQ(heads[1].defect,
            (folder / "model.safetensors").string() + ": " + kAttention +
                "k_proj.weight: 2 of 64 weights of the head are not finite, the first at [4, 0] of [8, 16]");
}

TEST(Heads, LayersWithoutKeysAreListedAsSkipped) {
  Draws draws(13);
  SyntheticFile file;
  add_projections(file, kAttention, random_layer(draws, 2, 2, 4, 16), "o_proj");
  file.add("model.layers.1.self_attn.q_proj.weight", draws.matrix(8, 16));
  const Scratch folder;
  file.write(folder / "model.safetensors");
  const Model model = open_model(folder.path().string(), {.heads = 2});
  ASSERT_EQ(model.skipped.size(), 1u);
  EXPECT_EQ(model.skipped[0].name, "model.layers.1.self_attn.q_proj.weight");
  EXPECT_EQ(model.skipped[0].reason, "the keys of its layer were not found");
}

TEST(Heads, OptionalPartsOfTheConfigurationSetScaleAndPositions) {
  Draws draws(14);
  SyntheticFile file;
  add_projections(file, kAttention, random_layer(draws, 2, 2, 8, 16), "o_proj");
  const Scratch folder;
  file.write(folder / "model.safetensors");
  const auto open = [&](const std::string& config) {
    folder.write("config.json", config);
    return open_model(folder.path().string());
  };
  const Model gemma = open(
      R"({"model_type":"gemma2","num_attention_heads":2,"query_pre_attn_scalar":16,"attn_logit_softcapping":50.0,"rope_theta":5e5})");
  EXPECT_DOUBLE_EQ(gemma.logit_scale, 0.25);
  EXPECT_DOUBLE_EQ(gemma.logit_cap, 50);
  EXPECT_DOUBLE_EQ(gemma.layers[0].rotary.base, 5e5);
  EXPECT_EQ(gemma.layers[0].rotary.dimensions, 8);
  const Model partial = open(R"({"model_type":"stablelm","num_attention_heads":2,"partial_rotary_factor":0.25})");
  EXPECT_EQ(partial.layers[0].rotary.dimensions, 2);
  EXPECT_DOUBLE_EQ(partial.logit_scale, 1 / std::sqrt(8.0));
  EXPECT_THAT(refusal([&] { open(R"({"num_attention_heads":2,"partial_rotary_factor":4})"); }),
              HasSubstr("do not fit"));
  EXPECT_THAT(refusal([&] { open(R"({"num_attention_heads":2,"query_pre_attn_scalar":-1})"); }),
              HasSubstr("must be positive"));
  EXPECT_THAT(refusal([&] { open(R"({"num_attention_heads":"two"})"); }),
              HasSubstr("num_attention_heads must be a whole number"));
  EXPECT_THAT(refusal([&] { open(R"({"num_attention_heads":2,"num_attention_heads":2})"); }),
              HasSubstr("stands twice"));
}

TEST(Vocabulary, RowsAndTokensAreFound) {
  Draws draws(15);
  SyntheticFile file;
  add_projections(file, kAttention, random_layer(draws, 2, 2, 8, 16), "o_proj");
  const MatrixXd embedding = draws.matrix(1500, 16);
  file.add("model.embed_tokens.weight", embedding);
  const Scratch folder;
  file.write(folder / "model.safetensors");
  folder.write("tokenizer.json", R"({"model":{"vocab":{"a":0,"b":2}},"added_tokens":[{"id":1,"content":"<s>"}]})");
  const Model model = open_model(folder.path().string(), {.heads = 2});
  MatrixXd rows(1500, 16);
  EXPECT_EQ(visit_vocabulary(model,
                             [&](Index first, const MatrixXd& block) { rows.middleRows(first, block.rows()) = block; }),
            1500);
  EXPECT_EQ(rows, embedding);
  EXPECT_THAT(read_tokens(model), testing::ElementsAre("a", "<s>", "b"));
}

TEST(Vocabulary, ControlCharactersOfTokensAreShownByTheirCodes) {
  Draws draws(16);
  SyntheticFile file;
  add_projections(file, kAttention, random_layer(draws, 2, 2, 8, 16), "o_proj");
  file.add("model.embed_tokens.weight", MatrixXd::Identity(2, 16));
  const Scratch folder;
  file.write(folder / "model.safetensors");
  folder.write("tokenizer.json", R"({"model":{"vocab":{"\u001b[31m\n":0,"\u201ca\u2028":1}}})");
  std::vector<OutlierDirections> directions(1);
  directions[0].left = directions[0].right = VectorXd::Unit(16, 0);
  match_tokens(open_model(folder.path().string(), {.heads = 2}), 2, directions);
  ASSERT_EQ(directions[0].left_tokens.size(), 2u);
  EXPECT_EQ(directions[0].left_tokens[0].text, "\\x1b[31m\\n");
  EXPECT_EQ(directions[0].right_tokens[1].text,
            "\xe2\x80\x9c"
            "a\\xe2\\x80\\xa8");
}

}  // namespace
}  // namespace attnlaw::checkpoint
