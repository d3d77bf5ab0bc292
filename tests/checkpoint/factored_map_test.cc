/// The small matrices of a map against dense decompositions, and what is read off them.

#include "attnlaw/checkpoint/inspection/factored_map.h"

#include <gtest/gtest.h>

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <limits>

#include "attnlaw/checkpoint/inspection/measures.h"
#include "attnlaw/checkpoint/inspection/rotary.h"
#include "decompositions.h"
#include "gaussian.h"

namespace attnlaw::checkpoint {
namespace {

using Eigen::MatrixXd;

MatrixXd gaussian(Eigen::Index m, Eigen::Index d, std::uint64_t stream) { return test::gaussian(m, d, 5, stream); }

void expect_dense_values(const FactoredMap& map, const MatrixXd& query, const MatrixXd& key) {
  const MatrixXd S = query.transpose() * key;
  const Eigen::VectorXd s = test::singular_values(S);
  for (std::size_t i = 0; i < map.singular_values.size(); ++i)
    EXPECT_NEAR(map.singular_values[i], s[static_cast<Eigen::Index>(i)], 1e-11 * s[0]);
  const Eigen::VectorXd e = test::eigenvalues(0.5 * (S + S.transpose()));
  // The dense matrix has further zeros; the others agree from both ends.
  const auto& small = map.symmetric_eigenvalues;
  const std::size_t half = small.size() / 2;
  for (std::size_t i = 0; i < half; ++i) {
    EXPECT_NEAR(small[i], e[static_cast<Eigen::Index>(i)], 1e-11 * s[0]);
    EXPECT_NEAR(small[small.size() - 1 - i], e[e.size() - 1 - static_cast<Eigen::Index>(i)], 1e-11 * s[0]);
  }
  EXPECT_NEAR(map.energy(), S.squaredNorm(), 1e-11 * S.squaredNorm());
  EXPECT_NEAR(map.trace(), S.trace(), 1e-11 * S.norm());
  EXPECT_NEAR(map.trace_of_square(), (S * S).trace(), 1e-11 * S.squaredNorm());
}

TEST(FactoredMap, BothRecipesAgreeWithDenseDecompositions) {
  const MatrixXd query = gaussian(7, 20, 1), key = gaussian(7, 20, 2);
  for (const Recipe recipe : {Recipe::gram, Recipe::qr})
    expect_dense_values(factored_by(recipe, query, key, true), query, key);
  EXPECT_EQ(factored(query, key).recipe, Recipe::gram);
}

TEST(FactoredMap, StackedFactorsMayBeWiderThanTheModel) {
  const MatrixXd query = gaussian(15, 20, 1), key = gaussian(15, 20, 2);
  expect_dense_values(factored(query, key), query, key);
  EXPECT_EQ(factored(query, key).symmetric_eigenvalues.size(), 20U);
  EXPECT_THROW(factored_by(Recipe::gram, query, key, true), std::runtime_error);
}

TEST(FactoredMap, SingularFactorsGoByQr) {
  MatrixXd query = gaussian(7, 20, 1);
  query.row(3) = query.row(2);
  const MatrixXd key = gaussian(7, 20, 2);
  const FactoredMap map = factored(query, key);
  EXPECT_EQ(map.recipe, Recipe::qr);
  expect_dense_values(map, query, key);
  EXPECT_LT(map.singular_values.back(), 1e-13 * map.singular_values.front());
}

TEST(FactoredMap, TiedHeadsAreSymmetricAndPositive) {
  const MatrixXd W = gaussian(7, 20, 1);
  const FactoredMap map = factored(W, W);
  const SymmetryMeasures measures = symmetry_measures(map);
  EXPECT_NEAR(measures.symmetric_share, 1, 1e-13);
  EXPECT_NEAR(measures.positive_share, 1, 1e-13);
  EXPECT_NEAR(measures.tie, 1, 1e-12);
  const FactoredMap reversed = factored(W, -W);
  EXPECT_NEAR(symmetry_measures(reversed).positive_share, 0, 1e-13);
}

TEST(FactoredMap, IsUnchangedByTheGauge) {
  const MatrixXd query = gaussian(7, 20, 1), key = gaussian(7, 20, 2), A = gaussian(7, 7, 3);
  const FactoredMap map = factored(query, key), turned = factored(A * query, A.inverse().transpose() * key);
  for (std::size_t i = 0; i < 7; ++i)
    EXPECT_NEAR(map.singular_values[i], turned.singular_values[i], 1e-10 * map.singular_values[0]);
  EXPECT_NEAR(map.trace(), turned.trace(), 1e-10);
}

TEST(FactoredMap, LeadingVectorsAreSingularVectors) {
  const MatrixXd query = gaussian(7, 20, 1), key = gaussian(7, 30, 2), S = query.transpose() * key;
  const SingularVectors vectors = leading_vectors(query, key, 3);
  const FactoredMap map = factored(query, key, false);
  EXPECT_FALSE(map.square());
  for (Eigen::Index k = 0; k < 3; ++k) {
    EXPECT_NEAR(vectors.left.col(k).norm(), 1, 1e-12);
    EXPECT_LT(
        (S * vectors.right.col(k) - map.singular_values[static_cast<std::size_t>(k)] * vectors.left.col(k)).norm(),
        1e-11 * S.norm());
  }
}

TEST(FactoredMap, RefusesFactorsThatDoNotFit) {
  EXPECT_THROW(factored(gaussian(3, 5, 1), gaussian(4, 5, 2)), std::invalid_argument);
  EXPECT_THROW(factored(gaussian(3, 5, 1), gaussian(3, 6, 2)), std::invalid_argument);
  MatrixXd broken = gaussian(3, 5, 1);
  broken(1, 2) = std::nan("");
  EXPECT_THROW(factored(broken, gaussian(3, 5, 2)), std::runtime_error);
}

TEST(RankMeasures, HaveTheirReferenceValues) {
  const double s[] = {8, 7, 6, 5, 4, 3, 2, 1};
  const RankMeasures measures = rank_measures(s);
  EXPECT_NEAR(measures.stable_rank, 3.1875, 1e-12);
  EXPECT_NEAR(measures.effective_rank, 6.936504, 1e-6);
  EXPECT_NEAR(measures.nuclear_rank, 6.352941, 1e-6);
  EXPECT_NEAR(measures.participation_ratio, 4.744186, 1e-6);
  EXPECT_EQ(measures.spectral_norm, 8);
  const double zero[] = {0, 0};
  EXPECT_TRUE(std::isnan(rank_measures(zero).stable_rank));
}

TEST(SymmetryMeasures, OfRandomMapsLieOnTheirNulls) {
  const SymmetryMeasures measures = symmetry_measures(factored(gaussian(32, 256, 1), gaussian(32, 256, 2)));
  EXPECT_NEAR(measures.symmetric_share, 0.5, 0.02);
  EXPECT_NEAR(measures.positive_share, 0.5, 0.1);
  EXPECT_NEAR(measures.spectral_radius, 1, 0.15);
  EXPECT_LT(std::abs(measures.trace), 4);
}

TEST(SymmetryMeasures, TieCoefficientOfMixedFactors) {
  // Of 64×768 heads with c² = 0.49, the tie coefficient is 0.4897 on the mean.
  const MatrixXd query = gaussian(64, 768, 1), key = 0.7 * query + std::sqrt(0.51) * gaussian(64, 768, 2);
  EXPECT_NEAR(symmetry_measures(factored(query, key)).tie, 0.49, 0.02);
}

TEST(Rotary, WindowIsTheMeanOverItsOffsets) {
  const MatrixXd key = gaussian(8, 20, 2);
  // A base below 1 has planes that turn by more than a full circle.
  for (const double base : {1e4, 1.0, 1e-3}) {
    const Rotary rotary{base, 6, true};
    for (const int window : {1, 2, 7, 512}) {
      MatrixXd mean = MatrixXd::Zero(8, 20);
      for (int offset = 0; offset < window; ++offset) mean += keys_at_offset(key, rotary, offset) / window;
      EXPECT_LT((keys_over_window(key, rotary, window) - mean).norm(), 1e-10) << base << ' ' << window;
    }
  }
  // The offsets of the widest window are not summed: planes that turn leave nothing.
  const Rotary all{10, 8, false};
  EXPECT_LT(keys_over_window(key, all, std::numeric_limits<int>::max()).norm(), 1e-6);
}

TEST(Rotary, OffsetsTurnPlanesAndKeepNorms) {
  const MatrixXd query = gaussian(8, 20, 1), key = gaussian(8, 20, 2);
  for (const bool interleaved : {false, true}) {
    const Rotary rotary{100, 6, interleaved};
    EXPECT_LT((keys_at_offset(key, rotary, 0) - key).norm(), 1e-14);
    EXPECT_NEAR(keys_at_offset(key, rotary, 3).norm(), key.norm(), 1e-12);
    EXPECT_LT((keys_at_offset(keys_at_offset(key, rotary, 3), rotary, -3) - key).norm(), 1e-12);
    EXPECT_LT((keys_over_window(key, rotary, 1) - key).norm(), 1e-14);
    // The mean energy over many offsets is the one that the ratio takes.
    double mean = 0;
    constexpr int kOffsets = 4000;
    for (int offset = 0; offset < kOffsets; ++offset)
      mean += (query.transpose() * keys_at_offset(key, rotary, offset)).squaredNorm() / kOffsets;
    EXPECT_NEAR((query.transpose() * key).squaredNorm() / mean, offset_energy_ratio(query, key, rotary), 0.01);
  }
}

}  // namespace
}  // namespace attnlaw::checkpoint
