// What the formats hold beyond plain matrices: quantised blocks of GGUF, graphs of ONNX, external data, bare arrays,
// folders.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "attnlaw/base/file.h"
#include "attnlaw/checkpoint/file/contents.h"
#include "attnlaw/checkpoint/head.h"
#include "attnlaw/checkpoint/open.h"
#include "checkpoint/bytes.h"
#include "checkpoint/singular_values.h"
#include "checkpoint/synthetic.h"
#include "scratch.h"

namespace attnlaw::checkpoint {
namespace {

namespace fs = std::filesystem;
using Eigen::Index;
using Eigen::MatrixXd;
using test::all_heads;
using test::array_of;
using test::Draws;
using test::field;
using test::floats_of;
using test::Gguf;
using test::raw;
using test::refusal;
using test::Scratch;
using test::stacked;
using test::SyntheticFile;
using test::SyntheticLayer;
using test::varint_field;
using testing::AllOf;
using testing::HasSubstr;

void write_model(const fs::path& folder, const SyntheticLayer& layer, const std::string& name = "model.safetensors") {
  SyntheticFile file;
  file.add("model.layers.0.self_attn.q_proj.weight", stacked(layer.query));
  file.add("model.layers.0.self_attn.k_proj.weight", stacked(layer.key));
  file.write(folder / name);
}

// GGUF: the quantised types, against their definition.

/// One row of 256 numbers of a type, read from its bytes.
Eigen::RowVectorXd gguf_row(unsigned type, const std::string& bytes) {
  const Scratch folder;
  folder.write("m.gguf", Gguf().tensor("x", {256, 1}, type, bytes).bytes());
  const Contents contents = read_file((folder / "m.gguf").string());
  return decode(contents.tensors().front());
}

constexpr std::uint16_t kHalf = 0x3800, kTwo = 0x4000;  // 0.5 and 2 in binary16

TEST(Gguf, BlocksOfFourBitsHaveAScaleAndAMinimum) {
  std::string q4_0, q4_1;
  for (int block = 0; block < 8; ++block) {
    q4_0 += raw(kHalf);
    q4_1 += raw(kHalf) + raw(kTwo);
    for (int i = 0; i < 16; ++i) {
      q4_0 += static_cast<char>(i | (15 - i) << 4);
      q4_1 += static_cast<char>(i | (15 - i) << 4);
    }
  }
  const Eigen::RowVectorXd centred = gguf_row(2, q4_0), shifted = gguf_row(3, q4_1);
  for (Index i = 0; i < 256; ++i) {
    const Index j = i % 32;
    const double nibble = static_cast<double>(j < 16 ? j : 31 - j);
    EXPECT_EQ(centred[i], 0.5 * (nibble - 8));
    EXPECT_EQ(shifted[i], 0.5 * nibble + 2);
  }
}

TEST(Gguf, Q4_KPacksEightScalesAndMinimaOfSixBits) {
  // Scales s_j = 5 j + 9 and minima m_j = 61 - 6 j, which need all six bits.
  std::string packed(12, '\0');
  const auto bits = [&](std::size_t byte, unsigned value, unsigned shift) {
    packed[byte] = static_cast<char>(static_cast<unsigned char>(packed[byte]) | value << shift);
  };
  for (std::size_t j = 0; j < 8; ++j) {
    const unsigned s = 5 * unsigned(j) + 9, m = 61 - 6 * unsigned(j);
    if (j < 4) {
      bits(j, s, 0);
      bits(j + 4, m, 0);
    } else {
      bits(j + 4, s & 15, 0);
      bits(j + 4, m & 15, 4);
      bits(j - 4, s >> 4, 6);
      bits(j, m >> 4, 6);
    }
  }
  std::string block = raw(kHalf) + raw(kTwo) + packed;
  for (int pair = 0; pair < 4; ++pair)
    for (int i = 0; i < 32; ++i) block += static_cast<char>(i % 16 | (i + pair) % 16 << 4);
  const Eigen::RowVectorXd row = gguf_row(12, block);
  for (int i = 0; i < 256; ++i) {
    const int j = i / 32, l = i % 32;
    const int nibble = j % 2 == 0 ? l % 16 : (l + j / 2) % 16;
    EXPECT_EQ(row[i], 0.5 * (5 * j + 9) * nibble - 2.0 * (61 - 6 * j)) << i;
  }
}

TEST(Gguf, Q6_KSplitsSixBitsOverTwoArrays) {
  // q_i = (7 i) mod 64, with scales 3 k - 20 for each sixteen numbers.
  std::string low(128, '\0'), high(64, '\0'), scales;
  for (int i = 0; i < 256; ++i) {
    const unsigned q = unsigned(7 * i) % 64;
    const int half = i / 128, quarter = i % 128 / 32, l = i % 32;
    char& low_byte = low[static_cast<std::size_t>(64 * half + 32 * (quarter % 2) + l)];
    char& high_byte = high[static_cast<std::size_t>(32 * half + l)];
    low_byte = static_cast<char>(static_cast<unsigned char>(low_byte) | (q & 15) << (quarter < 2 ? 0 : 4));
    high_byte = static_cast<char>(static_cast<unsigned char>(high_byte) | q >> 4 << (2 * quarter));
  }
  for (int k = 0; k < 16; ++k) scales += static_cast<char>(3 * k - 20);
  const Eigen::RowVectorXd row = gguf_row(14, low + high + scales + raw(kHalf));
  for (int i = 0; i < 256; ++i) EXPECT_EQ(row[i], 0.5 * (3 * (i / 16) - 20) * (7 * i % 64 - 32)) << i;
}

TEST(Gguf, OtherQuantisationsAreRefusedByNameWhereTheyAreNeeded) {
  const Scratch folder;
  folder.write("m.gguf", Gguf()
                             .text("general.architecture", "llama")
                             .number("llama.attention.head_count", 4)
                             .tensor("blk.0.attn_q.weight", {256, 256}, 13, std::string(256 * 176, '\0'))
                             .tensor("blk.0.attn_k.weight", {256, 256}, 13, std::string(256 * 176, '\0'))
                             .bytes());
  EXPECT_THAT(refusal([&] { open_model((folder / "m.gguf").string()); }),
              AllOf(HasSubstr("blk.0.attn_q.weight"), HasSubstr("Q5_K"), HasSubstr("BF16")));
}

TEST(Gguf, ValuesOfOtherTypesAreSkippedWithTheReason) {
  const Scratch folder;
  const std::string matrix(256, '\0');
  folder.write("m.gguf", Gguf()
                             .text("general.architecture", "llama")
                             .number("llama.attention.head_count", 2)
                             .tensor("blk.0.attn_q.weight", {8, 8}, 0, matrix)
                             .tensor("blk.0.attn_k.weight", {8, 8}, 0, matrix)
                             .tensor("blk.0.attn_v.weight", {8, 8}, 26, matrix)
                             .tensor("blk.0.attn_output.weight", {8, 8}, 0, matrix)
                             .bytes());
  const Model model = open_model((folder / "m.gguf").string());
  EXPECT_FALSE(model.layers[0].has_values);
  EXPECT_EQ(all_heads(model)[0].value.size(), 0);
  ASSERT_EQ(model.skipped.size(), 2u);
  EXPECT_EQ(model.skipped[0].name, "blk.0.attn_v.weight");
  EXPECT_EQ(model.skipped[0].reason, "numbers of type I32 are not read");
}

TEST(Gguf, ArchitectureTellsPositions) {
  const auto open = [](const std::string& architecture) {
    const Scratch folder;
    folder.write("m.gguf", Gguf()
                               .text("general.architecture", architecture)
                               .number(architecture + ".attention.head_count", 2)
                               .number(architecture + ".rope.dimension_count", 4)
                               .tensor("blk.0.attn_q.weight", {8, 8}, 0, std::string(256, '\0'))
                               .tensor("blk.0.attn_k.weight", {8, 8}, 0, std::string(256, '\0'))
                               .bytes());
    return open_model((folder / "m.gguf").string());
  };
  EXPECT_TRUE(open("llama").layers[0].rotary.interleaved);
  EXPECT_FALSE(open("qwen2").layers[0].rotary.interleaved);
  EXPECT_EQ(open("qwen2").layers[0].rotary.dimensions, 4);
  EXPECT_EQ(open("bloom").positions, Positions::alibi);
  EXPECT_EQ(open("bloom").architecture, "bloom");
}

TEST(Gguf, MetadataCountBeforeAConfigurationBesideThem) {
  const Scratch folder;
  folder.write("config.json", R"({"model_type":"bert","num_attention_heads":3})");
  folder.write("m.gguf", Gguf()
                             .text("general.architecture", "llama")
                             .number("llama.attention.head_count", 2)
                             .tensor("blk.0.attn_q.weight", {8, 8}, 0, std::string(256, '\0'))
                             .tensor("blk.0.attn_k.weight", {8, 8}, 0, std::string(256, '\0'))
                             .bytes());
  EXPECT_EQ(open_model(folder.path().string()).layers[0].heads, 2);
}

TEST(Gguf, OnePartOfASplitModelIsRefused) {
  const Scratch folder;
  folder.write("m-00001-of-00003.gguf", Gguf().value("split.count", 2, raw<std::uint16_t>(3)).bytes());
  EXPECT_THAT(refusal([&] { open_model(folder.path().string()); }), HasSubstr("one of 3 parts"));
}

// ONNX.

std::string float_tensor(const std::string& name, const MatrixXd& matrix) {
  return varint_field(1, static_cast<std::uint64_t>(matrix.rows())) +
         varint_field(1, static_cast<std::uint64_t>(matrix.cols())) + varint_field(2, 1) + field(8, name) +
         field(9, floats_of(matrix));
}

std::string node(const std::string& operation, const std::string& name, const std::string& weight,
                 const std::string& attributes = "") {
  return field(1, field(1, "x") + field(1, weight) + field(2, name + "_out") + field(3, name) + field(4, operation) +
                      attributes);
}

class Onnx : public testing::Test {
 protected:
  std::string write(const std::string& graph) const {
    return folder_.write("m.onnx", varint_field(1, 8) + field(7, graph)).string();
  }

  Scratch folder_;
  Draws draws_{31};
  SyntheticLayer layer_ = random_layer(draws_, 2, 2, 4, 8);
};

TEST_F(Onnx, NamelessWeightsAreKnownByTheNodesThatUseThem) {
  const std::string graph =
      field(5, float_tensor("onnx::MatMul_7", stacked(layer_.query).transpose())) +
      field(5, float_tensor("onnx::MatMul_8", stacked(layer_.key).transpose())) +
      field(5, varint_field(1, 8) + varint_field(2, 1) + field(8, "bert.encoder.layer.0.attention.self.query.bias") +
                   field(9, floats_of(stacked(layer_.query_bias)))) +
      node("MatMul", "/encoder/layer.0/attention/self/query/MatMul", "onnx::MatMul_7") +
      node("MatMul", "/encoder/layer.0/attention/self/key/MatMul", "onnx::MatMul_8");
  const Model model = open_model(write(graph), {.heads = 2});
  EXPECT_EQ(model.architecture, "bert");
  EXPECT_EQ(model.layers[0].query_tensor, "onnx::MatMul_7");
  EXPECT_EQ(all_heads(model)[1].query, layer_.query[1]);
  EXPECT_EQ(all_heads(model)[1].key, layer_.key[1]);
  EXPECT_EQ(all_heads(model)[1].query_bias, layer_.query_bias[1]);
}

TEST_F(Onnx, GemmTellsWhichAxisIsWhich) {
  // A Gemm without transB has [in, out]; with transB, [out, in].
  const std::string transposed = field(5, field(1, "transB") + varint_field(3, 1) + varint_field(20, 2));
  const std::string graph = field(5, float_tensor("q_proj.weight", stacked(layer_.query))) +
                            field(5, float_tensor("k_proj.weight", stacked(layer_.key).transpose())) +
                            node("Gemm", "a", "q_proj.weight", transposed) + node("Gemm", "b", "k_proj.weight");
  const std::vector<Head> heads = all_heads(open_model(write(graph), {.heads = 2}));
  EXPECT_EQ(heads[1].query, layer_.query[1]);
  EXPECT_EQ(heads[1].key, layer_.key[1]);
}

TEST_F(Onnx, ConstantsAndBranchesAreRead) {
  const auto constant = [](const std::string& name, const MatrixXd& matrix) {
    const std::string attribute =
        field(5, field(1, "value") + field(5, float_tensor("", matrix)) + varint_field(20, 4));
    return field(1, field(2, name) + field(4, "Constant") + attribute);
  };
  const std::string twice = constant("twice\x1b[31m", stacked(layer_.key));
  const std::string branch = twice + constant("k_proj.weight", stacked(layer_.key));
  const std::string graph = twice + constant("q_proj.weight", stacked(layer_.query)) +
                            field(1, field(1, "condition") + field(4, "If") +
                                         field(5, field(1, "then_branch") + field(6, branch) + varint_field(20, 5)));
  const Model model = open_model(write(graph), {.heads = 2});
  const std::vector<Head> heads = all_heads(model);
  EXPECT_EQ(heads[1].query, layer_.query[1]);
  EXPECT_EQ(heads[1].key, layer_.key[1]);
  ASSERT_EQ(model.skipped.size(), 1u);
  EXPECT_EQ(model.skipped[0].name, "twice\\x1b[31m");
}

TEST_F(Onnx, GraphsNestedWithoutEndAreRefused) {
  std::string graph;
  for (int depth = 0; depth < 200; ++depth) graph = field(1, field(4, "If") + field(5, field(6, graph)));
  EXPECT_THAT(refusal([&] { open_model(write(graph)); }), HasSubstr("nested more than"));
}

class OnnxExternal : public Onnx {
 protected:
  std::string write_external(const std::string& location) const {
    const auto tensor = [&](const std::string& name, std::size_t offset) {
      return field(5, varint_field(1, 8) + varint_field(1, 8) + varint_field(2, 1) + field(8, name) +
                          field(13, field(1, "location") + field(2, location)) +
                          field(13, field(1, "offset") + field(2, std::to_string(offset))) + varint_field(14, 1));
    };
    return write(tensor("q_proj.weight", 0) + tensor("k_proj.weight", 256));
  }
  std::string data() const { return floats_of(stacked(layer_.query)) + floats_of(stacked(layer_.key)); }
};

TEST_F(OnnxExternal, DataBesideTheModelAreRead) {
  folder_.write("weights.bin", data() + "more");
  // The length of the second tensor is that of its shape.
  EXPECT_EQ(all_heads(open_model(write_external("weights.bin"), {.heads = 2}))[1].key, layer_.key[1]);
}

TEST_F(OnnxExternal, LinksOutOfTheFolderAreRefused) {
  const Scratch elsewhere;
  elsewhere.write("weights.bin", data());
  fs::create_symlink(elsewhere / "weights.bin", folder_ / "link.bin");
  EXPECT_THAT(refusal([&] { open_model(write_external("link.bin"), {.heads = 2}); }), HasSubstr("leaves the folder"));
  EXPECT_THAT(refusal([&] { open_model(write_external((elsewhere / "weights.bin").string()), {.heads = 2}); }),
              HasSubstr("inside the folder"));
  EXPECT_THAT(refusal([&] { open_model(write_external("a\\weights.bin"), {.heads = 2}); }),
              HasSubstr("inside the folder"));
  EXPECT_THAT(refusal([&] { open_model(write_external(""), {.heads = 2}); }), HasSubstr("inside the folder"));
}

TEST_F(OnnxExternal, FifosAreRefusedWithoutWaiting) {
  ASSERT_EQ(mkfifo((folder_ / "pipe.bin").c_str(), 0600), 0);
  EXPECT_THAT(refusal([&] { open_model(write_external("pipe.bin"), {.heads = 2}); }), HasSubstr("a FIFO"));
}

TEST_F(OnnxExternal, LinksOfACacheAreFollowedWhereTheModelIsOne) {
  const Scratch cache;
  fs::create_directories(cache / "blobs");
  fs::create_directories(cache / "snapshots/abc");
  fs::copy_file(write_external("weights.bin"), cache / "blobs/111");
  cache.write("blobs/222", data());
  fs::create_symlink("../../blobs/111", cache / "snapshots/abc/m.onnx");
  fs::create_symlink("../../blobs/222", cache / "snapshots/abc/weights.bin");
  const Model model = open_model(cache.path().string(), {.heads = 2});
  EXPECT_EQ(all_heads(model)[1].query, layer_.query[1]);
  EXPECT_THAT(model.notes, testing::Contains(HasSubstr("snapshot abc")));
}

// Arrays.

TEST(Arrays, TwoFilesAreQueriesAndKeys) {
  Draws draws(41);
  const SyntheticLayer layer = random_layer(draws, 2, 1, 4, 16);
  const Scratch folder;
  const std::string q = folder.write("WQ.npy", array_of(stacked(layer.query))).string();
  const std::string k = folder.write("WK.npy", array_of(stacked(layer.key))).string();
  const std::vector<Head> heads = all_heads(open_model("", {.heads = 2, .query = q, .key = k}));
  EXPECT_EQ(heads[1].query, layer.query[1]);
  EXPECT_EQ(heads[1].key, layer.key[0]);
}

TEST(Arrays, ShapesTellTheirAxes) {
  Draws draws(42);
  const SyntheticLayer layer = random_layer(draws, 1, 1, 4, 16);
  const Scratch folder;
  const std::string q = folder.write("WQ.npy", array_of(layer.query[0])).string();
  const std::string k = folder.write("WK.npy", array_of(layer.key[0])).string();
  const std::string tall_q = folder.write("tq.npy", array_of(layer.query[0].transpose())).string();
  const std::string tall_k = folder.write("tk.npy", array_of(layer.key[0].transpose())).string();
  // One head of fewer coordinates than the residual vector needs no number of heads.
  for (const auto& [a, b] : {std::pair(q, k), std::pair(tall_q, tall_k)}) {
    const std::vector<Head> heads = all_heads(open_model("", {.query = a, .key = b}));
    ASSERT_EQ(heads.size(), 1u);
    EXPECT_EQ(heads[0].query, layer.query[0]);
    EXPECT_EQ(heads[0].key, layer.key[0]);
  }
  EXPECT_THAT(open_model("", {.query = tall_q, .key = tall_k}).notes,
              testing::Contains(
                  "Arrays of shapes [16, 4] and [16, 4] are taken as [in, out]: columns are coordinates of heads."));
  const std::string wider = folder.write("w.npy", array_of(draws.matrix(4, 20))).string();
  EXPECT_THAT(
      refusal([&] { open_model("", {.heads = 1, .query = q, .key = wider}); }),
      HasSubstr("q is [4, 16] and k is [4, 20]: rows of queries and of keys must be as long as the residual vector"));
  const std::string square = folder.write("s.npy", array_of(draws.matrix(16, 16))).string();
  EXPECT_THROW(open_model("", {.query = square, .key = square}), std::invalid_argument);
}

TEST(Arrays, OneMatrixIsTheMapItself) {
  Draws draws(43);
  const MatrixXd map = draws.matrix(8, 8);
  const Scratch folder;
  const Model model = open_model(folder.write("S.npy", array_of(map)).string());
  EXPECT_TRUE(model.product_only);
  const Head head = all_heads(model)[0];
  EXPECT_EQ(head.query.transpose() * head.key, map);
  const std::string wide = folder.write("W.npy", array_of(draws.matrix(8, 9))).string();
  EXPECT_THAT(refusal([&] { open_model(wide); }), HasSubstr("must be the square map"));
}

TEST(Arrays, HeadersThatLieAreRefused) {
  const Scratch folder;
  const auto message = [&](const std::string& bytes) {
    const std::string path = folder.write("a.npy", bytes).string();
    return refusal([&] { open_model(path); });
  };
  const std::string good = array_of(MatrixXd::Ones(2, 2));
  EXPECT_THAT(message(good.substr(0, good.size() - 1)), HasSubstr("needs 32 bytes, 31 follow"));
  EXPECT_THAT(message(good.substr(0, 7)), HasSubstr("byte"));
  EXPECT_THAT(
      message(test::array_with("{'descr': '>f8', 'fortran_order': False, 'shape': (1, 1), }", std::string(8, 0))),
      HasSubstr("big-endian"));
  EXPECT_THAT(
      message(test::array_with("{'descr': '|O', 'fortran_order': False, 'shape': (1, 1), }", std::string(8, 0))),
      HasSubstr("never read"));
  EXPECT_THAT(
      message(test::array_with("{'descr': '<f8', 'fortran_order': False, 'shape': (4294967296, 4294967296), }", "")),
      HasSubstr("not possible"));
  EXPECT_THAT(message(test::array_with("{'descr': '<f8', 'shape': (1, 1), }", std::string(8, 0))),
              HasSubstr("missing"));
  EXPECT_THAT(message(test::array_with("{'descr': '<f8', 'descr': '<f8', }", "")), HasSubstr("twice"));
}

// Folders.

TEST(Folders, TellWhichOfSeveralFormatsWasRead) {
  Draws draws(51);
  const SyntheticLayer layer = random_layer(draws, 2, 2, 4, 8);
  const Scratch folder;
  write_model(folder.path(), layer);
  folder.write("model.gguf", "x");
  folder.write("pytorch_model.bin", "x");
  const Model model = open_model(folder.path().string(), {.heads = 2});
  EXPECT_EQ(model.format, "safetensors");
  EXPECT_THAT(
      model.notes,
      testing::Contains("model.safetensors was read; not read in the same folder: model.gguf, pytorch_model.bin."));
}

TEST(Folders, OfAHubsCacheAreTheRevisionOfTheirMainBranch) {
  Draws draws(52);
  const Scratch folder;
  for (const char* revision : {"1a", "2b"}) {
    std::filesystem::create_directories(folder / "snapshots" / revision);
    write_model(folder / "snapshots" / revision, random_layer(draws, 2, 2, 4, 8));
  }
  const auto opened = [&] { return open_model(folder.path().string(), {.heads = 2}).file; };
  EXPECT_THAT(refusal(opened), HasSubstr("name one of them: 1a, 2b"));
  std::filesystem::create_directories(folder / "refs");
  folder.write("refs/main", "2b\n");
  EXPECT_THAT(opened(), HasSubstr("snapshots/2b/"));
  // What it names is one of the snapshots, and no way out of the folder.
  for (const char* other : {"3c", "../snapshots/1a", ""}) {
    folder.write("refs/main", other);
    EXPECT_THAT(refusal(opened), HasSubstr("name one of them"));
  }
}

TEST(Folders, WithoutReadableWeightsSayWhatToDo) {
  const Scratch empty, pickles, two;
  EXPECT_THAT(refusal([&] { open_model(empty.path().string()); }), HasSubstr("has no weights"));
  pickles.write("pytorch_model.bin", "x");
  EXPECT_THAT(refusal([&] { open_model(pickles.path().string()); }), HasSubstr("save_file"));
  two.write("a.gguf", "x");
  two.write("b.gguf", "x");
  EXPECT_THAT(refusal([&] { open_model(two.path().string()); }), HasSubstr("name one of them: a.gguf, b.gguf"));
  EXPECT_THAT(refusal([&] { open_model("/dev/null"); }), HasSubstr("a device"));
  EXPECT_THAT(refusal([&] { open_model((empty / "nothing").string()); }), HasSubstr("No such file"));
}

TEST(Folders, NamesThatAreSkippedShowNoControlCharacters) {
  Draws draws(53);
  const SyntheticLayer layer = random_layer(draws, 2, 2, 4, 8);
  SyntheticFile file;
  const std::string query = "model.layers.0.self_attn.q_proj.weight", key = "model.layers.0.self_attn.k_proj.weight";
  file.add(query, stacked(layer.query));
  file.add(key, stacked(layer.key));
  file.add("evil\x1b[31m\n", stacked(layer.query));
  const Scratch folder;
  file.write(folder / "m\x1b[32m.safetensors");
  folder.write("model.safetensors.index.json", R"({"weight_map":{")" + query + R"(":"m\u001b[32m.safetensors",")" +
                                                   key + R"(":"m\u001b[32m.safetensors"}})");
  const Model model = open_model(folder.path().string(), {.heads = 2});
  ASSERT_EQ(model.skipped.size(), 1u);
  EXPECT_EQ(model.skipped[0].name, "evil\\x1b[31m\\n");
  EXPECT_EQ(model.skipped[0].reason, "the index does not list it in m\\x1b[32m.safetensors");
}

TEST(Folders, PathsAreNamedWhole) {
  const Scratch scratch;
  fs::path folder = scratch.path();
  for (int i = 0; i < 4; ++i) folder /= std::string(60, 'd');
  fs::create_directories(folder);
  std::ofstream(folder / "bad.safetensors") << "x";
  const std::string path = (folder / "bad.safetensors").string();
  EXPECT_THAT(refusal([&] { open_model(path); }), testing::StartsWith(path + ": "));
}

TEST(Folders, ShardsMustBeFilesOfTheFolder) {
  Draws draws(52);
  const SyntheticLayer layer = random_layer(draws, 2, 2, 4, 8);
  const Scratch folder, elsewhere;
  write_model(elsewhere.path(), layer);
  const auto message = [&](const std::string& shard) {
    folder.write("model.safetensors.index.json",
                 R"({"weight_map":{"model.layers.0.self_attn.q_proj.weight":")" + shard + "\"}}");
    return refusal([&] { open_model(folder.path().string()); });
  };
  EXPECT_THAT(message("../model.safetensors"), HasSubstr("must not leave the folder"));
  EXPECT_THAT(message((elsewhere / "model.safetensors").string()), HasSubstr("inside the folder"));
  EXPECT_THAT(message("model.safetensors.index.json"), HasSubstr("no safetensors file"));
  fs::create_symlink(elsewhere / "model.safetensors", folder / "link.safetensors");
  EXPECT_THAT(message("link.safetensors"), HasSubstr("leaves the folder"));
}

/// Three shards of a layer each, with an index.
class Shards : public testing::Test {
 protected:
  Shards() {
    Draws draws(53);
    nlohmann::json map = nlohmann::json::object();
    for (int number = 0; number < 3; ++number) {
      SyntheticFile file;
      const SyntheticLayer layer = random_layer(draws, 2, 2, 4, 16);
      for (const auto& [name, maps] : {std::pair("q_proj", &layer.query), {"k_proj", &layer.key}}) {
        const std::string tensor = fmt::format("model.layers.{}.self_attn.{}.weight", number, name);
        file.add(tensor, stacked(*maps));
        map[tensor] = shard(number);
      }
      file.write(folder_ / shard(number));
    }
    folder_.write("model.safetensors.index.json", nlohmann::json{{"weight_map", map}}.dump());
    folder_.write("config.json", R"({"model_type":"llama","num_attention_heads":2})");
  }
  static std::string shard(int number) { return fmt::format("model-0000{}-of-00003.safetensors", number + 1); }
  Model open(bool keep_going) const {
    OpenOptions options;
    options.keep_going = keep_going;
    return open_model(folder_.path().string(), options);
  }
  static std::vector<int> layers_of(const Model& model) {
    std::vector<int> layers;
    for (const Layer& layer : model.layers) layers.push_back(layer.index);
    return layers;
  }

  Scratch folder_;
};

TEST_F(Shards, ThatAreMissingOrBrokenAreSkippedToKeepGoing) {
  EXPECT_EQ(open(true).skipped.size(), 0U);
  fs::remove(folder_ / shard(1));
  EXPECT_THAT(refusal([&] { open(false); }), HasSubstr(shard(1)));
  const Model without = open(true);
  EXPECT_THAT(layers_of(without), testing::ElementsAre(0, 2));
  ASSERT_EQ(without.skipped.size(), 1U);
  EXPECT_EQ(without.skipped[0].name, shard(1));
  EXPECT_THAT(without.skipped[0].reason, HasSubstr("cannot be read"));
  fs::resize_file(folder_ / shard(2), 100);
  const Model one = open(true);
  EXPECT_THAT(layers_of(one), testing::ElementsAre(0));
  ASSERT_EQ(one.skipped.size(), 2U);
  EXPECT_THAT(one.skipped[1].reason, HasSubstr("truncated"));
  // Without any shard nothing is left.
  fs::remove(folder_ / shard(0));
  EXPECT_THAT(refusal([&] { open(true); }), HasSubstr("model-0000"));
}

TEST_F(Shards, ALayerOfWhichOneTensorIsGoneIsSkippedToKeepGoing) {
  SyntheticFile half;
  half.add("model.layers.1.self_attn.q_proj.weight", MatrixXd::Ones(8, 16));
  half.write(folder_ / shard(1));
  EXPECT_THAT(refusal([&] { open(false); }), HasSubstr("lacks the tensor"));
  const Model model = open(true);
  EXPECT_THAT(layers_of(model), testing::ElementsAre(0, 2));
  EXPECT_THAT(model.skipped, testing::Contains(testing::Field(&Skipped::reason, HasSubstr("lacks it"))));
  EXPECT_THAT(model.skipped, testing::Contains(testing::Field(&Skipped::reason, HasSubstr("the keys of its layer"))));
}

TEST_F(Shards, ALayerThatDoesNotCountIsSkippedToKeepGoing) {
  SyntheticFile odd;
  odd.add("model.layers.1.self_attn.q_proj.weight", MatrixXd::Ones(7, 16));
  odd.add("model.layers.1.self_attn.k_proj.weight", MatrixXd::Ones(7, 16));
  odd.write(folder_ / shard(1));
  EXPECT_THAT(refusal([&] { open(false); }), HasSubstr("2 heads of dimension 3 need 6 outputs"));
  const Model model = open(true);
  EXPECT_THAT(layers_of(model), testing::ElementsAre(0, 2));
  EXPECT_THAT(model.skipped,
              testing::Contains(testing::Field(&Skipped::reason, HasSubstr("2 heads of dimension 3 need 6"))));
  // A number of heads that fits no layer is refused as before.
  OpenOptions options;
  options.keep_going = true;
  options.heads = 5;
  EXPECT_THROW(open_model(folder_.path().string(), options), std::invalid_argument);
}

TEST(Safetensors, DepthAndRepetitionAreRefused) {
  const Scratch folder;
  const auto message = [&](const std::string& header) {
    const std::string path =
        folder.write("m.safetensors", raw(static_cast<std::uint64_t>(header.size())) + header).string();
    return refusal([&] { open_model(path); });
  };
  EXPECT_THAT(message("{\"a\":" + std::string(200000, '[')), HasSubstr("nested more than"));
  const std::string entry = R"({"dtype":"F32","shape":[0],"data_offsets":[0,0]})";
  EXPECT_THAT(message("{\"a\":" + entry + ",\"a\":" + entry + "}"), HasSubstr("'a' stands twice"));
  EXPECT_THAT(message(R"({"a":{"dtype":"F32","dtype":"F16","shape":[0],"data_offsets":[0,0]}})"),
              HasSubstr("'dtype' stands twice"));
  EXPECT_THAT(message("{\"\xff\":" + entry + "}"), HasSubstr("broken"));
  EXPECT_THAT(message(std::string("{}\0\0", 4)), HasSubstr("NUL"));
  EXPECT_THAT(message(" {}"), HasSubstr("must begin with {"));
}

TEST(Safetensors, QuantisedAndLatentModelsAreRefusedByName) {
  const Scratch folder;
  const auto message = [&](const std::string& name) {
    SyntheticFile file;
    file.add("model.layers.0.self_attn." + name, MatrixXd::Ones(4, 4));
    file.write(folder / "model.safetensors");
    return refusal([&] { open_model(folder.path().string(), {.heads = 2}); });
  };
  EXPECT_THAT(message("q_proj.qweight"), HasSubstr("GPTQ or AWQ"));
  EXPECT_THAT(message("q_proj.weight.absmax"), HasSubstr("bitsandbytes"));
  EXPECT_THAT(message("q_proj.SCB"), HasSubstr("bitsandbytes"));
  EXPECT_THAT(message("q_proj.weight_scale_inv"), HasSubstr("FP8"));
  EXPECT_THAT(message("q_proj.scales"), HasSubstr("MLX"));
  EXPECT_THAT(message("q_proj.q_weight"), HasSubstr("ExLlamaV2"));
  EXPECT_THAT(message("kv_a_proj_with_mqa.weight"), HasSubstr("latent attention"));
}

}  // namespace
}  // namespace attnlaw::checkpoint
