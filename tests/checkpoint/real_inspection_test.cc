/// Two real checkpoints against figures that were computed apart: nulls, symmetries, offsets of rotary positions.

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <cstdlib>
#include <filesystem>

#include "attnlaw/checkpoint/inspection/inspect.h"
#include "attnlaw/checkpoint/inspection/rotary.h"
#include "attnlaw/checkpoint/open.h"

namespace attnlaw::checkpoint {
namespace {

class InspectedModel : public testing::Test {
 protected:
  void SetUp() override {
    const char* folder = std::getenv("ATTNLAW_CHECKPOINTS");
    if (folder == nullptr)
      GTEST_SKIP() << "no real checkpoints: neither build/checkpoints nor ATTNLAW_CHECKPOINTS is their folder";
    folder_ = folder;
  }
  Model open(const char* file) const { return open_model((folder_ / file).string()); }

  std::filesystem::path folder_;
};

/// f_s, f₊, T/d², z of N2, z of Tr S.
struct Row {
  double symmetric, positive, largest, rotation, trace;
};

constexpr Row kTextRecognition[] = {
    {.53134, .6182, 4.979, 4.68, 2.39},  {.52639, .5117, 4.636, 4.50, -1.38}, {.62780, .4085, 7.248, 6.86, -3.28},
    {.50223, .3599, 6.147, 6.99, -5.42}, {.56166, .3209, 4.203, 3.87, -7.72}, {.50124, .5714, 3.646, 3.87, 1.66},
    {.52694, .5407, 4.259, 3.44, -.13},  {.50645, .4612, 4.979, 5.90, -1.81}, {.58887, .5038, 1.952, 3.20, -1.39},
    {.53370, .6352, 2.892, 6.20, 2.90},  {.50923, .3569, 2.583, 3.52, -5.95}, {.60143, .7775, 50.354, 9.62, 4.90},
    {.51498, .5130, 2.200, 4.75, 1.44},  {.53836, .5826, 2.917, 5.08, 2.09},  {.50578, .4022, 2.636, 4.52, -4.48},
    {.51755, .3876, 2.703, 3.86, -5.21}};

TEST_F(InspectedModel, TextRecognitionHasItsReferenceFigures) {
  const Inspection found = inspect(open("pp_ocrv4_rec_attn.safetensors"), {.threads = 1});
  ASSERT_EQ(found.heads.size(), std::size(kTextRecognition));
  for (std::size_t i = 0; i < found.heads.size(); ++i) {
    const HeadReport& head = found.heads[i];
    const Row& row = kTextRecognition[i];
    SCOPED_TRACE(i);
    EXPECT_NEAR(head.symmetry.symmetric_share, row.symmetric, 1e-4);
    EXPECT_NEAR(head.symmetry.positive_share, row.positive, 1e-4);
    EXPECT_NEAR(head.tests.product.largest, row.largest, 1e-3);
    EXPECT_NEAR(head.tests.rotation.energy_score, row.rotation, 0.02);
    EXPECT_NEAR(head.symmetry.trace, row.trace, 0.01);
    EXPECT_EQ(head.fit.status, FitStatus::not_tied_like);
  }
  EXPECT_NEAR(found.nulls[1].pooled_score, 20, 0.5);
  EXPECT_EQ(found.nulls[1].discoveries, 16);
  // Of the energy over rotations the reference has the upper tail, to one digit.
  constexpr double kEnergy[] = {8e-6, 9e-6, 9e-9, 3e-10, 2e-4, 3e-4, 1e-3, 8e-8,
                                9e-4, 3e-9, 4e-4, 3e-7,  2e-6, 8e-7, 7e-6, 2e-4};
  for (std::size_t i = 0; i < found.heads.size(); ++i) {
    const double digit = std::pow(10, std::floor(std::log10(kEnergy[i]) + 1e-9));
    EXPECT_NEAR(found.heads[i].tests.rotation.energy_p / 2, kEnergy[i], 0.6 * digit) << i;
  }
}

/// Compares a p-value with one of other draws; the least that these can have only bounds it.
void expect_drawn_p(double p, double reference, double least, double draws) {
  const double digit = std::pow(10, std::floor(std::log10(reference)));
  const double error = 0.5 * digit + 5 * std::sqrt(2 * reference * (1 - reference) / draws);
  EXPECT_LE(p, reference <= least ? 6 * least : reference + error);
  EXPECT_GE(p, reference <= least ? 0 : reference - error);
}

TEST_F(InspectedModel, TextRecognitionByExactTablesSlow) {
  const Inspection found = inspect(open("pp_ocrv4_rec_attn.safetensors"), {.nulls = {.exact_tables = true}, .seed = 1});
  EXPECT_NEAR(found.nulls[0].discoveries, 12, 1);
  // Random signs of rows keep a common anisotropy, which makes a part of τ.
  constexpr double kFlipped[] = {3.1, 2.7, 9.3, -.6, 6.9, -1.1, 1.9, .2, 8.5, 1.1, .7, 4.1, 1.9, 3.8, .1, 2.1};
  for (std::size_t i = 0; i < found.heads.size(); ++i) {
    EXPECT_NEAR(found.heads[i].tests.symmetry.flipped_score, kFlipped[i], 0.06) << i;
    const bool refused = found.heads[i].outliers.status == OutlierStatus::too_many ||
                         found.heads[i].outliers.status == OutlierStatus::bulk_rejected;
    EXPECT_EQ(refused, i < 8 || i == 11 || i == 14) << i;
  }
  // s₂ and effective rank; of p of s₁ over rotations, four errors of 999 draws here and there.
  constexpr double kSecond[] = {1.53868, 1.70849, 2.68317, 1.74817, 1.77195, 2.14233, 1.78865, 1.90918,
                                1.76298, 1.87417, 1.48266, 4.29622, 1.52579, 1.54823, 1.60062, 1.66383};
  constexpr double kEffective[] = {11.924, 12.703, 9.886,  11.848, 12.696, 13.036, 12.893, 12.170,
                                   14.504, 14.097, 14.315, 4.465,  14.608, 14.388, 14.248, 14.295};
  constexpr double kTop[] = {.19, .38, .04, .01, .62, .54, .41, .13, .81, .01, .44, .001, .001, .001, .21, .11};
  constexpr double kProduct[] = {5e-5, 5e-5, 5e-5, 5e-5, 5e-5, 5e-5, 5e-5, 5e-5,
                                 .91,  3e-3, .022, 5e-5, .37,  8e-4, .018, 7e-3};
  constexpr double kSymmetry[] = {5e-4, 5e-4, 5e-4, .73,  5e-4, .63,  5e-4, .68,
                                  5e-4, 5e-4, .39,  5e-4, .07,  5e-4, .76,  .02};
  for (std::size_t i = 0; i < found.heads.size(); ++i) {
    const HeadReport& head = found.heads[i];
    SCOPED_TRACE(i);
    expect_drawn_p(head.tests.product.p, kProduct[i], 5e-5, 20000);
    expect_drawn_p(head.tests.symmetry.p, kSymmetry[i], 5e-4, 999);
    EXPECT_NEAR(head.singular_values[1], kSecond[i], 1e-4) << i;
    EXPECT_NEAR(head.ranks.effective_rank, kEffective[i], 1e-3) << i;
    EXPECT_NEAR(head.tests.rotation.largest_p, kTop[i], 0.005 + 6 * std::sqrt(kTop[i] * (1 - kTop[i]) / 999)) << i;
  }
  EXPECT_NEAR(found.heads[9].outliers.outliers.at(0).strength, 1.74, 0.01);
  EXPECT_NEAR(found.heads[9].outliers.outliers.at(1).strength, 1.56, 0.01);
  EXPECT_NEAR(found.heads[15].outliers.outliers.at(0).strength, 1.57, 0.01);
  EXPECT_NEAR(found.heads[8].tests.product.p, 0.91, 0.02);
  ASSERT_EQ(found.heads[9].outliers.count, 2);
  EXPECT_NEAR(found.heads[13].outliers.outliers.at(0).strength, 1.66, 0.02);
}

TEST_F(InspectedModel, StoriesRotateLikeChanceHasIt) {
  // This export keeps the planes of its training program, which the names of the tensors do not tell.
  const Inspection found = inspect(open("stories260K.safetensors"), {.interleaved = true, .threads = 1});
  constexpr double kRotation[] = {2.18, -.77,  1.09,  -1.12, .26,  -.82, -1.63, -1.57, .21,   -.01,
                                  -.33, -1.08, .20,   -1.63, -.43, .59,  -.08,  -.21,  .73,   .72,
                                  1.77, 1.17,  -.54,  .76,   -.93, 3.46, .63,   -.93,  -1.62, -.96,
                                  .72,  2.14,  -1.04, .53,   1.41, .83,  .74,   -.53,  -1.69, 1.22};
  constexpr double kOffsets[] = {1.381, .885,  1.279, .803,  1.083, .770,  .792,  .748, 1.007, 1.007,
                                 .961,  .893,  1.024, .680,  .931,  1.133, .975,  .910, 1.185, 1.049,
                                 1.327, 1.159, 1.006, 1.197, .817,  1.425, 1.157, .876, .721,  .902,
                                 1.091, 1.328, .908,  1.056, 1.125, 1.094, 1.074, .983, .839,  1.039};
  ASSERT_EQ(found.heads.size(), std::size(kRotation));
  for (std::size_t i = 0; i < found.heads.size(); ++i) {
    EXPECT_NEAR(found.heads[i].tests.rotation.energy_score, kRotation[i], 0.02) << i;
    EXPECT_NEAR(found.heads[i].offset_energy, kOffsets[i], 0.001) << i;
    EXPECT_GE(found.heads[i].symmetry.symmetric_share, .484) << i;
    EXPECT_LE(found.heads[i].symmetry.symmetric_share, .527) << i;
    EXPECT_GE(found.heads[i].tests.symmetry.p, .02) << i;
  }
  EXPECT_EQ(found.nulls[0].discoveries, 40);  // structured factors …
  EXPECT_EQ(found.nulls[1].discoveries, 0);   // … that are not matched
  EXPECT_NEAR(found.nulls[1].pooled_score, 0.5, 0.05);
}

TEST_F(InspectedModel, StoriesAtADistance) {
  const Model model = open("stories260K.safetensors");
  const Head head = read_head(model, model.layers.front(), 0);
  Rotary rotary = model.layers.front().rotary;
  rotary.interleaved = true;
  const auto energy = [&](double offset) {
    return factored(head.query, keys_at_offset(head.key, rotary, offset)).energy();
  };
  EXPECT_NEAR(energy(0), 88.1001, 1e-3);
  EXPECT_NEAR(energy(1), 88.8609, 1e-3);
  EXPECT_NEAR(energy(10), 73.0875, 1e-3);
  const FactoredMap window = factored(head.query, keys_over_window(head.key, rotary, 512));
  EXPECT_NEAR(window.singular_values[0], 5.9754, 1e-3);
  EXPECT_NEAR(window.singular_values[1], .8576, 1e-3);
}

}  // namespace
}  // namespace attnlaw::checkpoint
