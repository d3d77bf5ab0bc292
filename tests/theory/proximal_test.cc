/// The proximal operator of the softmax losses: derivatives, symmetries, stationarity, and how well two starts find the
/// global minimum.

#include "attnlaw/theory/channel/proximal.h"

#include <gtest/gtest.h>

#include <Eigen/Dense>
#include <cmath>
#include <random>
#include <vector>

#include "attnlaw/theory/channel/block_search.h"
#include "attnlaw/theory/channel/curvature_bound.h"
#include "attnlaw/theory/channel/logistic_features.h"
#include "attnlaw/theory/channel/single_row.h"
#include "attnlaw/theory/channel/softmax_rows.h"

namespace attnlaw::theory {
namespace {

using Point = std::vector<Pack>;

Point random_point(int dimension, double scale, std::mt19937_64& generator) {
  std::normal_distribution<double> normal;
  Point point(static_cast<std::size_t>(dimension));
  for (Pack& coordinate : point)
    for (int lane = 0; lane < kLanes; ++lane) coordinate.lanes[lane] = scale * normal(generator);
  return point;
}

template <class Loss>
typename Loss::Label label_at(const Loss& loss, const Point& point) {
  typename Loss::Label label = loss.make_label();
  loss.label(point.data(), label);
  return label;
}

template <class Loss>
Expansion<Loss::kDimension> expansion_at(const Loss& loss, const typename Loss::Label& label, const Point& point) {
  Expansion<Loss::kDimension> at(loss.dimension());
  loss.expand(label, point.data(), at);
  return at;
}

template <class Packs>
double entry(const Packs& packs, int index, int lane) {
  return packs[static_cast<std::size_t>(index)].lanes[lane];
}

/// The full symmetric matrix of one lane.
template <class Matrix>
Eigen::MatrixXd lane_matrix(const Matrix& lower, int dimension, int lane) {
  Eigen::MatrixXd matrix(dimension, dimension);
  for (int i = 0; i < dimension; ++i)
    for (int j = 0; j <= i; ++j) matrix(i, j) = matrix(j, i) = entry(lower, lower_index(i, j), lane);
  return matrix;
}

template <class Packs>
Eigen::VectorXd lane_vector(const Packs& packs, int dimension, int lane) {
  Eigen::VectorXd vector(dimension);
  for (int k = 0; k < dimension; ++k) vector[k] = entry(packs, k, lane);
  return vector;
}

/// The unit direction in z that no row of the softmax sees: a common shift of all scores.
Eigen::VectorXd invisible_direction(int tokens) {
  Eigen::VectorXd direction(tokens * (tokens + 1) / 2);
  for (int k = 0; k < direction.size(); ++k) direction[k] = (k < tokens ? 1.0 : std::sqrt(2.0)) / tokens;
  return direction;
}

template <class Loss>
void expect_derivatives_match_differences(const Loss& loss, std::mt19937_64& generator) {
  constexpr double kStep = 1e-5;
  constexpr double kGradientTolerance = 1e-8;  // rounding 1e-16/step, truncation step²
  for (int trial = 0; trial < 20; ++trial) {
    const Point at = random_point(loss.dimension(), 1.5, generator);
    const auto label = label_at(loss, random_point(loss.dimension(), 1.5, generator));
    const auto expansion = expansion_at(loss, label, at);
    for (int lane = 0; lane < kLanes; ++lane)
      EXPECT_NEAR(expansion.value.lanes[lane], loss.value(label, at.data()).lanes[lane], 1e-14);
    for (int k = 0; k < loss.dimension(); ++k) {
      Point up = at, down = at;
      up[static_cast<std::size_t>(k)] += kStep;
      down[static_cast<std::size_t>(k)] -= kStep;
      const auto above = expansion_at(loss, label, up), below = expansion_at(loss, label, down);
      for (int lane = 0; lane < kLanes; ++lane) {
        EXPECT_NEAR(entry(expansion.gradient, k, lane),
                    (above.value.lanes[lane] - below.value.lanes[lane]) / (2 * kStep), kGradientTolerance);
        for (int l = 0; l <= k; ++l)
          EXPECT_NEAR(entry(expansion.hessian, lower_index(k, l), lane),
                      (entry(above.gradient, l, lane) - entry(below.gradient, l, lane)) / (2 * kStep),
                      kGradientTolerance);
      }
    }
  }
}

template <class Loss>
void expect_gauss_newton_is_the_hessian_without_residual(const Loss& loss, std::mt19937_64& generator) {
  using Matrix = typename Expansion<Loss::kDimension>::Matrix;
  for (int trial = 0; trial < 20; ++trial) {
    const Point at = random_point(loss.dimension(), 1.5, generator);
    const auto label = label_at(loss, at);
    const Matrix of_hessian = expansion_at(loss, label, at).hessian;
    const auto gauss_newton_at = [&](const auto& y) {
      Expansion<Loss::kDimension> expansion(loss.dimension());
      loss.template expand<Curvature::gauss_newton>(y, at.data(), expansion);
      return expansion.hessian;
    };
    const Matrix perfect = gauss_newton_at(label);
    const Matrix other = gauss_newton_at(label_at(loss, random_point(loss.dimension(), 1.5, generator)));
    for (int lane = 0; lane < kLanes; ++lane) {
      const Eigen::MatrixXd gauss_newton = lane_matrix(perfect, loss.dimension(), lane);
      EXPECT_LT((gauss_newton - lane_matrix(of_hessian, loss.dimension(), lane)).norm(), 1e-13);
      EXPECT_LT((gauss_newton - lane_matrix(other, loss.dimension(), lane)).norm(), 1e-13);
      EXPECT_GT(gauss_newton.selfadjointView<Eigen::Lower>().eigenvalues().minCoeff(), -1e-13);
    }
  }
}

TEST(SoftmaxPair, DerivativesMatchDifferences) {
  std::mt19937_64 generator(1);
  for (const double beta : {0.5, 1.0, 2.0})
    expect_derivatives_match_differences(SoftmaxPair(kPairMetric, beta, 1.3), generator);
}

TEST(SoftmaxRows, DerivativesMatchDifferences) {
  std::mt19937_64 generator(2);
  for (const int tokens : {2, 3, 5}) expect_derivatives_match_differences(SoftmaxRows<0>(tokens, 1.2, 0.8), generator);
  expect_derivatives_match_differences(SoftmaxRows<4>(4, 1.2, 0.8), generator);
}

template <class RowLoss>
void expect_row_loss_derivatives(std::mt19937_64& generator) {
  expect_derivatives_match_differences(LogisticFeatures<2, RowLoss>(kPairMetric, 1.4, 0.8), generator);
  expect_derivatives_match_differences(LogisticFeatures<1, RowLoss>(single_metric(2), 1.4, 0.8), generator);
  expect_derivatives_match_differences(SingleRow<3, RowLoss>(3, 1, 1.4, 0.8), generator);
  expect_derivatives_match_differences(SingleRow<0, RowLoss>(5, 2, 1.4, 0.8), generator);
  expect_derivatives_match_differences(SoftmaxRows<3, false, RowLoss>(3, 1.4, 0.8), generator);
  expect_derivatives_match_differences(SoftmaxRows<0, true, RowLoss>(3, 1.4, 0.8), generator);
}

TEST(RowLosses, DerivativesMatchDifferences) {
  std::mt19937_64 generator(12);
  expect_row_loss_derivatives<SquareLoss>(generator);
  expect_row_loss_derivatives<EntryLoss>(generator);
  expect_row_loss_derivatives<CrossEntropyLoss>(generator);
}

template <class RowLoss>
void expect_logistic_is_a_row_of_two(std::mt19937_64& generator) {
  const LogisticFeatures<1, RowLoss> logistic(single_metric(3), 1.4, 0.8);
  const SingleRow<2, RowLoss> row(2, 2, 1.4, 0.8);
  for (int trial = 0; trial < 20; ++trial) {
    const Point at = random_point(1, 2, generator), field = random_point(1, 2, generator);
    // Scores of the row are measured from the first, logistic ones from the second.
    const Point mirrored{-at[0]}, mirrored_field{-field[0]};
    const auto one = expansion_at(logistic, label_at(logistic, field), at);
    const auto other = expansion_at(row, label_at(row, mirrored_field), mirrored);
    for (int lane = 0; lane < kLanes; ++lane) {
      EXPECT_NEAR(one.value.lanes[lane], other.value.lanes[lane], 1e-14);
      EXPECT_NEAR(entry(one.gradient, 0, lane), -entry(other.gradient, 0, lane), 1e-14);
      EXPECT_NEAR(entry(one.hessian, 0, lane), entry(other.hessian, 0, lane), 1e-14);
    }
  }
}

TEST(RowLosses, TwoScoresAreALogisticFunction) {
  std::mt19937_64 generator(13);
  expect_logistic_is_a_row_of_two<SquareLoss>(generator);
  expect_logistic_is_a_row_of_two<EntryLoss>(generator);
  expect_logistic_is_a_row_of_two<CrossEntropyLoss>(generator);
}

TEST(SingleRow, DifferencesOfItsScoresHaveTheirMetric) {
  // log(y_b/y_1)/β* = (Lζ)_b, L Lᵀ = I + v 11ᵀ.
  for (const double variance : {1.0, 2.0})
    for (const int tokens : {2, 3, 6}) {
      const SingleRow<0, SquareLoss> row(tokens, variance, 1, 0.7);
      Eigen::MatrixXd L(tokens - 1, tokens - 1);
      for (int k = 0; k + 1 < tokens; ++k) {
        Point unit(static_cast<std::size_t>(tokens - 1), Pack(0));
        unit[static_cast<std::size_t>(k)] = 1;
        const auto y = label_at(row, unit);
        for (int b = 1; b < tokens; ++b) L(b - 1, k) = std::log(entry(y, b, 0) / entry(y, 0, 0)) / 0.7;
      }
      const Eigen::MatrixXd metric =
          Eigen::MatrixXd::Identity(tokens - 1, tokens - 1) + variance * Eigen::MatrixXd::Ones(tokens - 1, tokens - 1);
      EXPECT_LT((L * L.transpose() - metric).norm(), 1e-13);
    }
}

template <class Loss>
void expect_outcomes_are_a_law(const Loss& loss, int count, std::mt19937_64& generator) {
  ASSERT_EQ(loss.outcomes(), count);
  const Point field = random_point(loss.dimension(), 1.5, generator);
  const auto mean = label_at(loss, field);
  auto drawn = loss.make_label(), sum = loss.make_label();
  std::fill(sum.begin(), sum.end(), Pack(0));
  Pack total = 0;
  for (int k = 0; k < count; ++k) {
    const Pack probability = loss.outcome(k, mean, drawn);
    total += probability;
    for (std::size_t i = 0; i < drawn.size(); ++i) sum[i] += probability * drawn[i];
  }
  for (int lane = 0; lane < kLanes; ++lane) {
    EXPECT_NEAR(total.lanes[lane], 1, 1e-14);
    for (std::size_t i = 0; i < sum.size(); ++i) EXPECT_NEAR(sum[i].lanes[lane], mean[i].lanes[lane], 1e-14);
  }
}

TEST(LabelLaw, SampledLabelsHaveTheOutputsAsMean) {
  std::mt19937_64 generator(14);
  const auto law = LabelLaw::sampled;
  expect_outcomes_are_a_law(LogisticFeatures<2, CrossEntropyLoss>(kPairMetric, 1, 1.2, law), 4, generator);
  expect_outcomes_are_a_law(LogisticFeatures<1, CrossEntropyLoss>(single_metric(2), 1, 1.2, law), 2, generator);
  expect_outcomes_are_a_law(SingleRow<0, CrossEntropyLoss>(5, 1, 1, 1.2, law), 5, generator);
  expect_outcomes_are_a_law(SoftmaxRows<3, false, CrossEntropyLoss>(3, 1, 1.2, law), 27, generator);
  expect_outcomes_are_a_law(SoftmaxRows<3, false, CrossEntropyLoss>(3, 1, 1.2), 1, generator);
}

TEST(CrossEntropyLoss, KeepsItsRelativeAccuracyWhereItIsSmall) {
  // A label that is certain, far on the right side: the loss is e^{−x}, at x = 30 and beyond the rounding of 1.
  for (const double x : {5.0, 30.0, 200.0}) {
    const double exact = std::log1p(std::exp(-x));
    EXPECT_NEAR(CrossEntropyLoss::at(1, x).value.lanes[0], exact, 1e-14 * exact);
    EXPECT_NEAR(CrossEntropyLoss::at(0, -x).value.lanes[0], exact, 1e-14 * exact);
    EXPECT_NEAR(CrossEntropyLoss::at(0, x).value.lanes[0], x + exact, 1e-14 * x);
    CrossEntropyLoss::Row<3> row(3);
    row.scores()[0] = x, row.scores()[1] = 0, row.scores()[2] = 0;
    const Pack label[3] = {1, 0, 0};
    row.evaluate(label);
    const double of_three = std::log1p(2 * std::exp(-x));
    EXPECT_NEAR(row.value().lanes[0], of_three, 1e-14 * of_three);
  }
}

TEST(SoftmaxLosses, GaussNewtonIsTheHessianWithoutResidual) {
  std::mt19937_64 generator(3);
  expect_gauss_newton_is_the_hessian_without_residual(SoftmaxPair(kPairMetric, 1.4, 1.4), generator);
  expect_gauss_newton_is_the_hessian_without_residual(SoftmaxRows<3>(3, 1.4, 1.4), generator);
  expect_gauss_newton_is_the_hessian_without_residual(SoftmaxRows<0>(5, 0.7, 0.7), generator);
}

TEST(SoftmaxLosses, SaturatedScoresStayFinite) {
  std::mt19937_64 generator(4);
  const auto expect_finite = [&](const auto& loss) {
    const Point at = random_point(loss.dimension(), 1e6, generator);
    const auto expansion = expansion_at(loss, label_at(loss, random_point(loss.dimension(), 1e6, generator)), at);
    for (int lane = 0; lane < kLanes; ++lane) {
      EXPECT_TRUE(std::isfinite(expansion.value.lanes[lane]));
      EXPECT_TRUE(lane_vector(expansion.gradient, loss.dimension(), lane).allFinite());
      EXPECT_TRUE(lane_matrix(expansion.hessian, loss.dimension(), lane).allFinite());
    }
  };
  expect_finite(SoftmaxPair(kPairMetric, 3, 2));
  expect_finite(SoftmaxRows<0>(4, 3, 2));
  expect_finite(LogisticFeatures<2, CrossEntropyLoss>(kPairMetric, 3, 2));
  expect_finite(SoftmaxRows<0, false, CrossEntropyLoss>(4, 3, 2));
  expect_finite(SingleRow<0, EntryLoss>(4, 1, 3, 2));
}

/// u = A z, the two differences of scores that a 2×2 attention matrix depends on; z in the order 11, 22, 21.
Eigen::Matrix<double, 2, 3> pair_features() {
  Eigen::Matrix<double, 2, 3> features;
  features << std::sqrt(2.0), 0, -1, 0, std::sqrt(2.0), -1;
  return features;
}

/// ζ with u = L ζ as z, its preimage of least norm.
Point pair_as_rows(const Point& zeta) {
  const Eigen::Matrix<double, 2, 3> features = pair_features();
  const Eigen::Matrix2d metric = features * features.transpose();
  const Eigen::Matrix2d L = Eigen::Map<const Eigen::Matrix<double, 2, 2, Eigen::RowMajor>>(kPairMetric.factor.data());
  const Eigen::Matrix<double, 3, 2> map = features.transpose() * metric.inverse() * L;
  Point z(3);
  for (int i = 0; i < 3; ++i) z[static_cast<std::size_t>(i)] = map(i, 0) * zeta[0] + map(i, 1) * zeta[1];
  return z;
}

TEST(SoftmaxPair, IsSoftmaxRowsOfTwoTokens) {
  std::mt19937_64 generator(5);
  const SoftmaxPair pair(kPairMetric, 1.3, 0.9);
  const SoftmaxRows<0> rows(2, 1.3, 0.9);
  for (int trial = 0; trial < 50; ++trial) {
    const Point at = random_point(2, 2, generator), target = random_point(2, 2, generator);
    const auto y_pair = label_at(pair, target);
    const auto y_rows = label_at(rows, pair_as_rows(target));
    const Pack by_pair = pair.value(y_pair, at.data()), by_rows = rows.value(y_rows, pair_as_rows(at).data());
    for (int lane = 0; lane < kLanes; ++lane) EXPECT_NEAR(by_pair.lanes[lane], by_rows.lanes[lane], 1e-13);
  }
}

TEST(SoftmaxPair, MoreauEnvelopeIsThatOfSoftmaxRows) {
  std::mt19937_64 generator(6);
  const SoftmaxPair pair(kPairMetric, 1, 1);
  const SoftmaxRows<0> rows(2, 1, 1);
  Proximal pair_proximal(pair);
  Proximal rows_proximal(rows);
  for (const double V : {0.01, 1.0, 30.0}) {
    for (int trial = 0; trial < 20; ++trial) {
      // Close enough together for one common valley.
      const Point omega = random_point(2, 0.3, generator);
      Point in_pair = omega, in_rows = pair_as_rows(omega);
      const Point rows_omega = in_rows;
      const Point target = random_point(2, 0.3, generator);
      const Pack by_pair = pair_proximal.descend(label_at(pair, target), omega.data(), V, in_pair.data());
      const Pack by_rows =
          rows_proximal.descend(label_at(rows, pair_as_rows(target)), rows_omega.data(), V, in_rows.data());
      const Point mapped = pair_as_rows(in_pair);
      for (int lane = 0; lane < kLanes; ++lane) {
        EXPECT_NEAR(by_pair.lanes[lane], by_rows.lanes[lane], 1e-13);
        EXPECT_LT((lane_vector(mapped, 3, lane) - lane_vector(in_rows, 3, lane)).norm(), 1e-7);
      }
    }
  }
}

template <int kTokens>
void expect_same_at_compile_and_run_time(std::mt19937_64& generator) {
  const SoftmaxRows<kTokens> fixed(kTokens, 1.1, 0.8);
  const SoftmaxRows<0> dynamic(kTokens, 1.1, 0.8);
  for (int trial = 0; trial < 20; ++trial) {
    const Point at = random_point(fixed.dimension(), 2, generator);
    const Point target = random_point(fixed.dimension(), 2, generator);
    const auto one = expansion_at(fixed, label_at(fixed, target), at);
    const auto other = expansion_at(dynamic, label_at(dynamic, target), at);
    for (int lane = 0; lane < kLanes; ++lane) {
      const int size = fixed.dimension();
      EXPECT_NEAR(one.value.lanes[lane], other.value.lanes[lane], 1e-13);
      EXPECT_LT((lane_vector(one.gradient, size, lane) - lane_vector(other.gradient, size, lane)).norm(), 1e-13);
      EXPECT_LT((lane_matrix(one.hessian, size, lane) - lane_matrix(other.hessian, size, lane)).norm(), 1e-13);
    }
  }
}

TEST(SoftmaxRows, SizeKnownAtCompileTimeChangesNothing) {
  std::mt19937_64 generator(7);
  expect_same_at_compile_and_run_time<3>(generator);
  expect_same_at_compile_and_run_time<4>(generator);
}

TEST(SoftmaxRows, CommonShiftOfAllScoresIsInvisible) {
  std::mt19937_64 generator(8);
  for (const int tokens : {2, 3, 6}) {
    const SoftmaxRows<0> loss(tokens, 1.1, 0.8);
    const Eigen::VectorXd e = invisible_direction(tokens);
    EXPECT_NEAR(e.norm(), 1, 1e-15);
    const Point at = random_point(loss.dimension(), 1, generator);
    const auto expansion = expansion_at(loss, label_at(loss, random_point(loss.dimension(), 1, generator)), at);
    for (int lane = 0; lane < kLanes; ++lane) {
      EXPECT_NEAR(lane_vector(expansion.gradient, loss.dimension(), lane).dot(e), 0, 1e-14);
      EXPECT_LT((lane_matrix(expansion.hessian, loss.dimension(), lane) * e).norm(), 1e-13);
    }
  }
}

TEST(SoftmaxRows, EmbeddingIsAnIsometryOntoTheVisibleDirections) {
  std::mt19937_64 generator(9);
  for (const int tokens : {2, 3, 6}) {
    const SoftmaxRows<0> loss(tokens, 1, 1);
    EXPECT_EQ(loss.sampled_dimension(), tokens * (tokens + 1) / 2 - 1);
    const Point sampled = random_point(loss.sampled_dimension(), 1, generator);
    Point embedded(static_cast<std::size_t>(loss.dimension()));
    loss.embed(sampled.data(), embedded.data());
    for (int lane = 0; lane < kLanes; ++lane) {
      const Eigen::VectorXd image = lane_vector(embedded, loss.dimension(), lane);
      EXPECT_NEAR(image.norm(), lane_vector(sampled, loss.sampled_dimension(), lane).norm(), 1e-13);
      EXPECT_NEAR(image.dot(invisible_direction(tokens)), 0, 1e-13);
    }
  }
}

template <class Loss>
void expect_stationary(const Loss& loss, std::mt19937_64& generator) {
  Proximal<Loss> proximal(loss);
  for (const double V : {1e-2, 1.0, 1e2, 1e4}) {
    for (int trial = 0; trial < 50; ++trial) {
      const Point omega = random_point(loss.dimension(), 1.5, generator);
      const Point target = random_point(loss.dimension(), 1.5, generator);
      const auto label = label_at(loss, target);
      Point z = trial % 2 == 0 ? omega : target;
      const Pack value = proximal.descend(label, omega.data(), V, z.data());
      const auto at = expansion_at(loss, label, z);
      for (int lane = 0; lane < kLanes; ++lane) {
        const Eigen::VectorXd shift =
            lane_vector(z, loss.dimension(), lane) - lane_vector(omega, loss.dimension(), lane);
        EXPECT_NEAR(value.lanes[lane], at.value.lanes[lane] + shift.squaredNorm() / (2 * V), 1e-13);
        // The last Newton step was below 1e-6: its error is the square of that.
        EXPECT_LT((lane_vector(at.gradient, loss.dimension(), lane) + shift / V).norm(), 1e-10) << "V " << V;
        EXPECT_NEAR(proximal.loss().lanes[lane], at.value.lanes[lane], 1e-12);
      }
    }
  }
}

TEST(Proximal, EndsAtStationaryPoints) {
  std::mt19937_64 generator(10);
  expect_stationary(SoftmaxPair(kPairMetric, 1, 1), generator);
  expect_stationary(SoftmaxPair(kPairMetric, 2, 1), generator);
  expect_stationary(SoftmaxRows<3>(3, 1, 1), generator);
  expect_stationary(SoftmaxRows<0>(5, 1, 1), generator);
  expect_stationary(LogisticFeatures<2, CrossEntropyLoss>(kPairMetric, 2, 1), generator);
  expect_stationary(SoftmaxRows<3, false, CrossEntropyLoss>(3, 1, 1), generator);
  expect_stationary(SingleRow<0, CrossEntropyLoss>(4, 1, 1, 1), generator);
  expect_stationary(SingleRow<3, EntryLoss>(3, 2, 1, 1), generator);
}

TEST(Proximal, IsTheFieldForAStiffSpringAndTheLabelForASoftOne) {
  std::mt19937_64 generator(11);
  const SoftmaxRows<3> loss(3, 1, 1);
  Proximal<SoftmaxRows<3>> proximal(loss);
  const Point omega = random_point(loss.dimension(), 1, generator),
              target = random_point(loss.dimension(), 1, generator);
  const auto label = label_at(loss, target);
  Point z = omega;
  proximal.descend(label, omega.data(), 1e-9, z.data());
  for (int lane = 0; lane < kLanes; ++lane)
    EXPECT_LT((lane_vector(z, 6, lane) - lane_vector(omega, 6, lane)).norm(), 1e-8);
  z = target;
  proximal.descend(label, omega.data(), 1e9, z.data());
  const Pack residual = loss.value(label, z.data());
  for (int lane = 0; lane < kLanes; ++lane) EXPECT_LT(residual.lanes[lane], 1e-14);
}

TEST(LeastLogisticCurvature, IsALowerBoundThatIsNearlyMet) {
  for (double label = 0; label <= 1; label += 0.013)
    for (double residual = 0.005; residual <= 1; residual += 0.017) {
      double least = 1;
      constexpr int kSteps = 2000;
      for (int k = 0; k <= kSteps; ++k) {
        const double s = std::clamp(label + residual * (2.0 * k / kSteps - 1), 0.0, 1.0), p = s * (1 - s);
        least = std::min(least, p * p + (s - label) * p * (1 - 2 * s));
      }
      const double bound = least_logistic_curvature(label, residual);
      EXPECT_LE(bound, least) << label << " " << residual;
      EXPECT_GT(bound, least - 0.03) << label << " " << residual;
    }
}

TEST(SoftmaxRows, ShareExponentialsWhereTheyAreNotTooFarApart) {
  // Rows of scores up to 60, 140 and 900 apart against softmax rows by themselves.
  std::mt19937_64 generator(34);
  constexpr int kTokens = 3;
  const SoftmaxRows<kTokens> loss(kTokens, 1, 1);
  const auto probabilities = [&](const Point& zeta, int a, int b, int lane) {
    const auto row = loss.scores(a, zeta.data());
    double largest = -1e300, sum = 0;
    for (int c = 0; c < kTokens; ++c) largest = std::max(largest, entry(row.x, c, lane));
    for (int c = 0; c < kTokens; ++c) sum += std::exp(entry(row.x, c, lane) - largest);
    return std::exp(entry(row.x, b, lane) - largest) / sum;
  };
  for (const double spread : {20.0, 45.0, 300.0}) {
    const Point zeta = random_point(loss.dimension(), spread, generator);
    const auto outputs = label_at(loss, zeta), label = label_at(loss, random_point(loss.dimension(), 1, generator));
    const Pack value = loss.value(label, zeta.data());
    for (int lane = 0; lane < kLanes; ++lane) {
      double expected = 0;
      for (int a = 0; a < kTokens; ++a)
        for (int b = 0; b < kTokens; ++b) {
          const double p = probabilities(zeta, a, b, lane), y = entry(label, a * kTokens + b, lane);
          EXPECT_NEAR(entry(outputs, a * kTokens + b, lane), p, 1e-13);
          expected += (p - y) * (p - y);
        }
      EXPECT_NEAR(value.lanes[lane], expected, 1e-12);
    }
  }
}

TEST(Coupling, OfSoftmaxRowsLeavesOutOnlyZeros) {
  // The same factors, solutions and responses as without it.
  std::mt19937_64 generator(31);
  const auto expect_same = [&](const auto& loss) {
    using Loss = std::remove_cvref_t<decltype(loss)>;
    const Point at = random_point(loss.dimension(), 1.5, generator);
    auto matrix = expansion_at(loss, label_at(loss, random_point(loss.dimension(), 1.5, generator)), at).hessian;
    constexpr double kV = 0.05;  // 1 + VH is positive definite
    const auto responses_of = [&](auto size, const auto& coupled) {
      auto factor = matrix;
      Point column(loss.dimension());
      return responses(stiffen(factor, size, kV, coupled), column, size, loss.symmetric_dimension(), kV, coupled);
    };
    const auto all = responses_of(loss.dimension(), AllCoupled{});
    const auto coupled = responses_of(size_of<Loss::kDimension>(loss.dimension()), coupling(loss));
    for (int lane = 0; lane < kLanes; ++lane) {
      const Eigen::MatrixXd lower = lane_matrix(matrix, loss.dimension(), lane);
      const Eigen::MatrixXd H = lower.selfadjointView<Eigen::Lower>();
      const Eigen::MatrixXd response =
          (Eigen::MatrixXd::Identity(loss.dimension(), loss.dimension()) + kV * H).inverse() * H;
      const double symmetric = response.diagonal().head(loss.symmetric_dimension()).sum();
      EXPECT_NEAR(all[0].lanes[lane], symmetric, 1e-11);
      EXPECT_NEAR(all[1].lanes[lane], response.trace() - symmetric, 1e-11);
      for (std::size_t sector = 0; sector < 2; ++sector)
        EXPECT_NEAR(coupled[sector].lanes[lane], all[sector].lanes[lane], 1e-12);
    }
    for (Pack& entry : matrix) entry *= kV;
    for (int k = 0; k < loss.dimension(); ++k) matrix[static_cast<std::size_t>(lower_index(k, k))] += 1;
    auto sparse = matrix;
    Point x = random_point(loss.dimension(), 1, generator), y = x;
    factorise(matrix, loss.dimension());
    const auto size = size_of<Loss::kDimension>(loss.dimension());
    factorise(sparse, size, coupling(loss));
    solve_factorised(matrix, loss.dimension(), x.data());
    solve_factorised(sparse, size, y.data(), coupling(loss));
    for (int lane = 0; lane < kLanes; ++lane)
      EXPECT_LT((lane_vector(x, loss.dimension(), lane) - lane_vector(y, loss.dimension(), lane)).norm(), 1e-13);
    static_assert(SearchableLoss<Loss>);
  };
  expect_same(SoftmaxRows<3>(3, 1.4, 1));
  expect_same(SoftmaxRows<0>(5, 1.2, 1));
  expect_same(SoftmaxRows<2, true>(2, 1.1, 1));
  expect_same(SoftmaxRows<0, true>(4, 1.1, 1));
}

TEST(BlockSearch, FindsWhatEveryPointAloneWouldFind) {
  std::mt19937_64 generator(32);
  constexpr double kV = 20, kSpread = 3;
  const SoftmaxPair loss(kPairMetric, 1, 1);
  BlockSearch<SoftmaxPair> blocks(loss, kV);
  GlobalProximal<SoftmaxPair> alone(loss);
  int several = 0, packs = 0;
  Expansion<2> at(2);
  const auto compare = [&](const auto& field, Pack, const auto& found, const auto& stiffened) {
    loss.expand(field.label, found.point.data(), at);
    const auto factors = stiffened().factors;
    const auto expected_factors = stiffen(at.hessian, 2, kV).factors;
    const auto& expected = alone.solve(field.label, field.omega.data(), field.fit.data(), kV);
    for (int lane = 0; lane < kLanes; ++lane) {
      EXPECT_NEAR(found.value.lanes[lane], expected.value.lanes[lane], 1e-9);
      for (std::size_t k = 0; k < factors.size(); ++k) {
        const double expected_factor = expected_factors[k].lanes[lane];
        EXPECT_NEAR(factors[k].lanes[lane], expected_factor, 1e-5 * (1 + std::abs(expected_factor)))
            << "those of the minimum, or of a last step before it";
      }
      several += std::abs(found.value.lanes[lane] - loss.value(field.label, field.omega.data()).lanes[lane]) > 0.1;
    }
    ++packs;
  };
  std::vector<Pack> places(2 * 150);
  for (int trial = 0; trial < 150; ++trial) {
    FieldPack<SoftmaxPair> field(loss);
    const Point omega = random_point(2, kSpread, generator), target = random_point(2, 1.2, generator);
    std::copy(omega.begin(), omega.end(), field.omega.begin());
    std::copy(target.begin(), target.end(), field.fit.begin());
    loss.label(target.data(), field.label);
    blocks.take(field, 1, &places[2 * static_cast<std::size_t>(trial)], false, compare);
  }
  blocks.finish(compare);
  EXPECT_EQ(packs, 150);
  EXPECT_GT(several, 0);
  EXPECT_GT(blocks.several(), 0) << "there are points with several minima";
  EXPECT_NE(places[0].lanes[0], 0) << "minima are handed on";
}

}  // namespace
}  // namespace attnlaw::theory
