/// In-context regression at finite size: what is drawn, three ways to train that must agree, the law given the tasks,
/// and the singular values of the trained matrix.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <Eigen/Cholesky>
#include <boost/multiprecision/cpp_bin_float.hpp>
#include <cmath>
#include <limits>
#include <random>

#include "attnlaw/base/memory.h"
#include "attnlaw/base/packed_triangle.h"
#include "attnlaw/laws/in_context/simulation.h"
#include "attnlaw/laws/in_context/singular_values.h"
#include "attnlaw/matrix_laws/kolmogorov.h"
#include "laws/in_context_model.h"

namespace attnlaw::laws {
namespace {

using Eigen::Index;
using Matrix = base::Matrix<double>;
using Real = boost::multiprecision::number<boost::multiprecision::cpp_bin_float<50>>;
using testing::HasSubstr;
using testing::ThrowsMessage;

InContextExperimentOptions at(std::size_t d, int instances) {
  InContextExperimentOptions options;
  options.d = d;
  options.instances = instances;
  return options;
}

Matrix normal_matrix(Index rows, Index columns, unsigned seed) {
  std::mt19937_64 engine(seed);
  std::normal_distribution<double> normal;
  return Matrix::NullaryExpr(rows, columns, [&] { return normal(engine); });
}

// ------------------------------------------------------------------------------------------------ singular values

TEST(InContextSpectrum, ReferenceTable) {
  struct Row {
    InContextModel model;
    double gap, lower, upper;
    double density[6];
  };
  const Row rows[] = {
      {model_of(2, 2, .5, .1, 0), 14.2449, 0, 1.3931, {.894894, .878901, .845327, .752961, .649250, .343161}},
      {model_of(4, .5, .6, .1, .05), kInf, 0, 1.4507, {.863145, .834518, .779149, .694553, .665171, .465696}},
      {model_of(5, 4, 4, .05, .05), .128437, .3099, 1.1233, {0, 0, .950938, 1.709735, 1.526871, 0}},
      {model_of(10, 8, 6, .1, .1), .0518942, .5060, 1.0649, {0, 0, 0, 2.335468, 1.798896, 0}},
      {model_of(3, kInf, .8, .1, .1), 1.77952, 0, 1.5789, {.658579, .720744, .750393, .733936, .681691, .519483}}};
  constexpr double kAt[] = {.1, .3, .5, .8, 1, 1.3}, kSixDecimals = 0.500001e-6, kFourDecimals = 0.500001e-4;
  for (const Row& row : rows) {
    SCOPED_TRACE(row.gap);
    const InContextPrediction p = predict_in_context(row.model);
    EXPECT_NEAR(1 / p.gap_number, 1 / row.gap, 5e-6 / row.gap);
    const SingularValueLaw law = SingularValueLaw::of(p).value();
    ASSERT_EQ(law.bands().size(), 1u);
    EXPECT_NEAR(law.bands().front().lower, row.lower, kFourDecimals);
    EXPECT_NEAR(law.bands().front().upper, row.upper, kFourDecimals);
    for (std::size_t i = 0; i < std::size(kAt); ++i) EXPECT_NEAR(law.density(kAt[i]), row.density[i], kSixDecimals);
  }
}

std::vector<InContextModel> spectral_models() {
  return {model_of(2, 2, .5, .1, 0),     model_of(4, .5, .6, .1, .05),  model_of(5, 4, 4, .05, .05),
          model_of(20, .5, 8, .1, .1),   model_of(3, kInf, .8, .1, .1), model_of(10, 1, 3, .1, .01),
          model_of(10, kInf, 40, .1, 0), model_of(100, .3, 200, .1, .2)};
}

TEST(InContextSpectrum, HasUnitMassAndTheNormOfTheLayer) {
  for (const InContextModel& model : spectral_models()) {
    SCOPED_TRACE(testing::Message() << model.context << " " << model.tasks << " " << model.sequences);
    const InContextPrediction p = predict_in_context(model);
    const SingularValueLaw law = SingularValueLaw::of(p).value();
    constexpr int kPoints = 500;
    const SingularValueDensity curve = law.curve(kPoints);
    double mass = 0, second = 0;
    for (std::size_t i = 0; i < curve.x.size(); ++i) {
      const auto& band = law.bands()[i / kPoints];
      const double half = 0.5 * (band.upper - band.lower), middle = 0.5 * (band.upper + band.lower), x = curve.x[i];
      const double width = band.lower == 0 ? std::sqrt(band.upper * band.upper - x * x) * 0.5 * M_PI / kPoints
                                           : std::sqrt(half * half - (x - middle) * (x - middle)) * M_PI / kPoints;
      mass += width * curve.density[i];
      second += width * curve.density[i] * x * x;
    }
    // The midpoint rule in the angle converges at once. What is missing is the density below the smallest that counts,
    // most of it at the soft edge of the last model.
    constexpr double kUncounted = 2e-5;
    EXPECT_NEAR(mass, 1, kUncounted);
    EXPECT_NEAR(second / p.squared_norm, 1, kUncounted);
    EXPECT_NEAR(law.cdf(law.bands().back().upper * (1 - 1e-9)), 1, kUncounted);
  }
}

TEST(InContextSpectrum, WithoutRepetitionItIsACubic) {
  const InContextPrediction p = predict_in_context(model_of(3, kInf, .8, .1, .1));
  const SingularValueLaw law = SingularValueLaw::of(p).value();
  // a[(z + a)² − D²] + t(z + a) = 0 with b = a/t.
  const double s = p.ridge + 1.1 / 3, D = 1 / (1 + s), t = p.variance;
  for (const double z : {.1, .5, 1.0, 1.5}) {
    const double p2 = 2 * z, p1 = z * z - D * D + t, p0 = t * z;
    const double q = (3 * p1 - p2 * p2) / 3, r = 2 * p2 * p2 * p2 / 27 - p2 * p1 / 3 + p0;
    const double discriminant = r * r / 4 + q * q * q / 27;
    ASSERT_GT(discriminant, 0);
    const double root = std::sqrt(discriminant), u = std::cbrt(-r / 2 + root), v = std::cbrt(-r / 2 - root);
    EXPECT_NEAR(law.density(z), 2 / M_PI * std::sqrt(3.0) / 2 * std::abs(u - v) / t, 1e-7);
  }
  // Two of its roots meet at the edge.
  const double z = law.bands().back().upper, p2 = 2 * z, p1 = z * z - D * D + t, p0 = t * z;
  const double q = (3 * p1 - p2 * p2) / 3, r = 2 * p2 * p2 * p2 / 27 - p2 * p1 / 3 + p0;
  EXPECT_NEAR(r * r / 4, -q * q * q / 27, 1e-7);
}

/// Tells whether the cubic of κ = ∞ has complex roots, at z and D in units of the noise. In 50 digits, as it is a
/// difference of sixth powers.
bool inside(const Real& z, const Real& D) {
  const Real b = 2 * z, c = z * z - D * D + 1, d = z;
  return 18 * b * c * d - 4 * b * b * b * d + b * b * c * c - 4 * c * c * c - 27 * d * d < 0;
}

/// Returns where it begins to have them between a point inside and one outside.
Real edge_of_cubic(Real in, Real out, const Real& D) {
  constexpr int kHalvings = 100;
  for (int i = 0; i < kHalvings; ++i) {
    const Real middle = (in + out) / 2;
    (inside(middle, D) ? in : out) = middle;
  }
  return in;
}

/// Of many sequences the noise is small beside the gain; the law is that of the noise about it.
TEST(InContextSpectrum, EdgesAreThoseOfTheCubicAtSmallNoise) {
  for (const double sequences : {1e2, 1e5, 1e6, 1e8}) {
    const InContextPrediction p = predict_in_context(model_of(10, kInf, sequences, .1, 0));
    const SingularValueLaw law = SingularValueLaw::of(p).value();
    const double noise = std::sqrt(p.variance), gain = 1 / (1 + 1.1 / 10);
    const Real D = Real(gain) / noise;
    ASSERT_EQ(law.bands().size(), 1u);
    // Bands end where the density is 1e-4, some 1e-8 of the noise from the edge; gains have 16 digits.
    const double tolerance = 1e-7 + 1e-15 * gain / noise;
    EXPECT_NEAR(law.bands().front().upper / noise, static_cast<double>(edge_of_cubic(D + 1, D + 2, D)), tolerance);
    EXPECT_NEAR(law.bands().front().lower / noise, static_cast<double>(edge_of_cubic(D - 1, D - 2, D)), tolerance);
    EXPECT_NEAR(law.cdf(law.bands().front().upper - 1e-6 * noise), 1, 1e-4);
    EXPECT_NEAR(law.cdf(gain), 0.5, 1e-2);
  }
}

/// Next to n = d² the noise is all: a quarter circle for κ = ∞.
TEST(InContextSpectrum, HasUnitMassAtLargeNoise) {
  for (const double tasks : {.5, 2.0, kInf}) {
    const InContextPrediction p = predict_in_context(model_of(10, tasks, 1 + 1e-8, .1, 0));
    const SingularValueLaw law = SingularValueLaw::of(p).value();
    const double upper = law.bands().back().upper;
    EXPECT_EQ(law.bands().front().lower, 0);
    EXPECT_NEAR(law.cdf(upper * (1 - 1e-9)), 1, 1e-6) << tasks;
    if (std::isinf(tasks)) {
      EXPECT_NEAR(upper / (2 * std::sqrt(p.variance)), 1, 1e-6);
    }
  }
}

TEST(InContextSpectrum, GapOpensWhereItsNumberIsOne) {
  for (const double sequences : {.7, 1.5, 3.0, 6.0, 30.0}) {
    const InContextPrediction p = predict_in_context(model_of(5, 3, sequences, .1, .05));
    EXPECT_EQ(SingularValueLaw::of(p)->bands().front().lower > 0, p.gap_number < 1) << sequences;
  }
}

TEST(InContextSpectrum, NothingWhereThereIsNoLaw) {
  const auto has_law = [](const InContextModel& model) {
    return SingularValueLaw::of(predict_in_context(model)).has_value();
  };
  EXPECT_TRUE(has_law(model_of(10, .5, 2, .1, .1)));
  EXPECT_FALSE(has_law(model_of(10, .5, kInf, .1, .1)));
  EXPECT_FALSE(has_law(model_of(10, .5, 1e8, .1, .1)));
  EXPECT_FALSE(has_law(model_of(10, .5, 1, .1, 0)));
  InContextModel anisotropic = model_of(10, .5, 2, .1, .1);
  anisotropic.covariance = TaskCovariance::parse("list:1,2");
  EXPECT_FALSE(has_law(anisotropic));
}

/// Its nodes must not be seen: between the edges of a band the density is smooth.
TEST(InContextSpectrum, DensityHasNoRipples) {
  for (const InContextModel& model :
       {model_of(20, .5, 8, .1, .1), model_of(100, .3, 200, .1, .2), model_of(10, 8, 6, .1, .1)}) {
    const SingularValueLaw law = SingularValueLaw::of(predict_in_context(model)).value();
    constexpr std::size_t kPoints = 300;
    const std::vector<double> density = law.curve(kPoints).density;
    for (std::size_t band = 0; band < law.bands().size(); ++band) {
      int turns = 0;
      for (std::size_t i = band * kPoints + 2; i < (band + 1) * kPoints; ++i)
        turns += (density[i] - density[i - 1]) * (density[i - 1] - density[i - 2]) < 0 ? 1 : 0;
      EXPECT_LE(turns, 2);
    }
  }
}

// -------------------------------------------------------------------------------------------------------- training

TEST(PackedTriangle, SolvesWhatItHolds) {
  for (const Index n : {1, 2, 5, 6, 31, 64}) {
    const Matrix factor = normal_matrix(n, n, 3), A = factor * factor.transpose() + Matrix::Identity(n, n);
    base::PackedTriangle triangle(static_cast<std::size_t>(n));
    for (Index i = 0; i < n; ++i)
      for (Index j = 0; j <= i; ++j) triangle(static_cast<std::size_t>(i), static_cast<std::size_t>(j)) = A(i, j);
    Eigen::VectorXd x = Eigen::VectorXd::LinSpaced(n, 1, 2);
    const Eigen::VectorXd b = x;
    triangle.solve(std::span(x.data(), static_cast<std::size_t>(n)));
    EXPECT_LT((A * x - b).norm(), 1e-10 * b.norm()) << n;
  }
  base::PackedTriangle negative(2);
  negative(0, 0) = -1;
  std::vector<double> b(2);
  EXPECT_THAT([&] { negative.solve(b); }, ThrowsMessage<std::runtime_error>(HasSubstr("not positive definite")));
  EXPECT_THROW(negative.solve(std::span(b.data(), 1)), std::invalid_argument);
}

/// The ridge by its definition: all d(d+1) features of every sequence in one matrix.
Matrix trained_by_definition(const InContextSequences& sequences, double lambda) {
  const Index n = sequences.query.rows(), d = sequences.query.cols();
  Eigen::MatrixXd features(n, d * (d + 1));
  for (Index i = 0; i < n; ++i)
    for (Index a = 0; a < d; ++a)
      for (Index j = 0; j <= d; ++j) features(i, a * (d + 1) + j) = sequences.query(i, a) * sequences.context(i, j);
  Eigen::MatrixXd A = features.transpose() * features;
  A.diagonal().array() += static_cast<double>(n) * lambda / static_cast<double>(d);
  const Eigen::Map<const Eigen::VectorXd> y(sequences.label.data(), n);
  const Eigen::VectorXd gamma = A.ldlt().solve(features.transpose() * y);
  return Eigen::Map<const Matrix>(gamma.data(), d, d + 1);
}

TEST(InContextTraining, AllSolversFindTheRidge) {
  for (const std::size_t d : {3u, 7u, 12u})
    for (const double ratio : {.4, 1.0, 2.5}) {
      const auto n = static_cast<std::size_t>(ratio * static_cast<double>(d * d));
      const InContextSequences sequences =
          draw_sequences(normal_matrix(5, static_cast<Index>(d), 1), n, 2 * d, .3, 7, 0, 1);
      const Matrix expected = trained_by_definition(sequences, .05);
      for (const auto solver : {InContextSolver::normal, InContextSolver::kernel, InContextSolver::iterative}) {
        const TrainedLayer layer = train_layer(sequences, .05, solver, 1);
        EXPECT_LT((layer.gamma - expected).norm(), 1e-8 * expected.norm())
            << d << " " << ratio << " " << base::name(solver);
        EXPECT_TRUE(layer.converged);
        EXPECT_EQ(train_layer(sequences, .05, solver, 2).gamma, layer.gamma);
      }
    }
}

/// At the penalty that stands for none, away from n = d², where equations are worse conditioned.
TEST(InContextTraining, AllSolversFindTheRidgelessLimit) {
  constexpr std::size_t kD = 12;
  for (const double ratio : {.4, 2.5}) {
    const auto n = static_cast<std::size_t>(ratio * kD * kD);
    const InContextSequences sequences = draw_sequences(normal_matrix(5, Index{kD}, 1), n, 2 * kD, .3, 7, 0, 1);
    const Matrix expected = trained_by_definition(sequences, kRidgelessPenalty);
    for (const auto solver : {InContextSolver::normal, InContextSolver::kernel, InContextSolver::iterative}) {
      const TrainedLayer layer = train_layer(sequences, kRidgelessPenalty, solver, 1);
      EXPECT_LT((layer.gamma - expected).norm(), 1e-8 * expected.norm()) << ratio << " " << base::name(solver);
      EXPECT_TRUE(layer.converged);
    }
  }
}

/// What is not finite ends conjugate gradients at once.
TEST(InContextTraining, EndsWhereNumbersAreNotFinite) {
  InContextSequences sequences = draw_sequences(normal_matrix(2, 3, 1), 20, 6, .3, 7, 0, 1);
  sequences.label.front() = std::numeric_limits<double>::quiet_NaN();
  const TrainedLayer layer = train_layer(sequences, .1, InContextSolver::iterative, 1);
  EXPECT_FALSE(layer.converged);
  EXPECT_LE(layer.iterations, 1);
}

TEST(InContextTraining, PicksASolverThatFits) {
  constexpr double kMuch = 1e12, kLittle = 1e8;
  const auto chosen = [](double d, double ratio, double lambda, double available) {
    return chosen_solver(InContextSolver::automatic, {d, ratio * d * d, lambda}, 2, available);
  };
  EXPECT_EQ(chosen(60, 1.5, 1e-6, kMuch), InContextSolver::iterative);
  // At as many sequences as unknowns conjugate gradients take long without a penalty.
  EXPECT_EQ(chosen(60, 1.01, 1e-6, kMuch), InContextSolver::kernel);
  EXPECT_EQ(chosen(30, 1.6, 1e-6, kMuch), InContextSolver::normal);
  EXPECT_EQ(chosen(100, 1.01, 1e-6, kLittle), InContextSolver::iterative);
  EXPECT_EQ(chosen_solver(InContextSolver::normal, {100, 15000, 1}, 2, kLittle), InContextSolver::normal);
  // d⁴/2 numbers, and little beside them.
  EXPECT_NEAR(solver_bytes(InContextSolver::normal, 100, 15000, 2) / (0.5 * 8 * 1.02e8), 1, 0.2);
}

// ---------------------------------------------------------------------------------------------------- what is drawn

/// Expects the mean of a sample within five of its standard errors: once in a million samples it is not.
void expect_mean(const Eigen::ArrayXd& sample, double expected) {
  constexpr double kErrors = 5;
  const double n = static_cast<double>(sample.size()), mean = sample.mean();
  EXPECT_NEAR(mean, expected, kErrors * std::sqrt((sample - mean).square().sum() / (n * (n - 1))));
}

/// Draws contexts token by token, and h and t from them.
TEST(InContextSequences, HaveTheLawOfTokens) {
  constexpr Index kD = 3, kLength = 4, kCount = 200000;
  constexpr double kNoise = .5;
  Matrix task(1, kD);
  task << 1.5, -.5, 1;
  const InContextSequences drawn = draw_sequences(task, kCount, kLength, kNoise, 1, 0, 2);
  std::mt19937_64 engine(2);
  std::normal_distribution<double> normal;
  Matrix tokens(kCount, kD + 1);
  for (Index i = 0; i < kCount; ++i) {
    tokens.row(i).setZero();
    for (Index t = 0; t < kLength; ++t) {
      Eigen::RowVectorXd x(kD);
      for (double& entry : x) entry = normal(engine) / std::sqrt(double{kD});
      const double y = task.row(0).dot(x) + std::sqrt(kNoise) * normal(engine);
      tokens.row(i).head(kD) += double{kD} / double{kLength} * y * x;
      tokens(i, kD) += y * y / double{kLength};
    }
  }
  const ContextMoments exact = moments_of_tasks(task, kLength, kNoise);
  const auto columns = [](const Matrix& u, Index i) { return Eigen::ArrayXd(u.col(i).array()); };
  for (Index i = 0; i <= kD; ++i)
    for (Index j = 0; j <= kD; ++j) {
      SCOPED_TRACE(testing::Message() << i << " " << j);
      const Eigen::ArrayXd a = columns(drawn.context, i), b = columns(drawn.context, j);
      const Eigen::ArrayXd a_tokens = columns(tokens, i), b_tokens = columns(tokens, j);
      expect_mean(a * b, exact.second(i, j));
      expect_mean(a * a * b - a_tokens * a_tokens * b_tokens, 0);
      if (j < kD) expect_mean(task(0, j) * a, exact.task(j, i));
    }
  // The answer to a query follows the task.
  const Eigen::Map<const Eigen::ArrayXd> y(drawn.label.data(), kCount);
  expect_mean(y * y, exact.label);
  for (Index i = 0; i < kD; ++i) expect_mean(double{kD} * y * columns(drawn.query, i), task(0, i));
}

/// Nothing is drawn or stored per token, so that contexts of any length cost the same; their h is the task.
TEST(InContextSequences, LongContextsTakeNoMemory) {
  constexpr std::size_t kLength = 1000000000;
  Matrix task(1, 3);
  task << 1.5, -.5, 1;
  const InContextSequences drawn = draw_sequences(task, 8, kLength, .5, 1, 0, 1);
  const double scatter = 1 / std::sqrt(static_cast<double>(kLength)), label = task.squaredNorm() / 3 + .5;
  for (Index i = 0; i < 8; ++i) {
    EXPECT_LT((drawn.context.row(i).head(3) - task.row(0)).norm(), 20 * scatter);
    EXPECT_NEAR(drawn.context(i, 3), label, 20 * scatter);
  }
}

TEST(InContextSequences, ErrorsNeedNoTestSample) {
  constexpr Index kD = 4;
  const Matrix tasks = normal_matrix(3, kD, 5), gamma = normal_matrix(kD, kD + 1, 6);
  const InContextSequences fresh = draw_sequences(tasks, 300000, 6, .2, 3, 1, 2);
  const Eigen::Map<const Eigen::VectorXd> y(fresh.label.data(), fresh.query.rows());
  const Eigen::VectorXd answers = (fresh.query * gamma).cwiseProduct(fresh.context).rowwise().sum();
  const double exact = moments_of_tasks(tasks, 6, .2).error(gamma);
  expect_mean((y - answers).array().square(), exact);
}

// ------------------------------------------------------------------------------------------------ finite-size law

TEST(InContextFiniteSize, TendsToTheLaw) {
  for (const double tasks : {.5, 2.0, kInf}) {
    const InContextModel model = model_of(2, tasks, 2.5, .1, .01);
    const InContextPrediction limit = predict_in_context(model);
    const InContextExperiment small = simulate_in_context(model, at(8, 1));
    constexpr Index kD = 400;
    const double d = double{kD};
    Matrix drawn;
    if (std::isfinite(tasks)) {
      drawn = normal_matrix(static_cast<Index>(tasks * d), kD, 4);
      for (Index i = 0; i < drawn.rows(); ++i) drawn.row(i) *= std::sqrt(d) / drawn.row(i).norm();
    }
    const ContextMoments fresh = moments_of_law(std::vector<double>(kD, 1.0), true, 2 * d, .1);
    const InContextMeasured at_size = predict_finite_size(
        {std::isfinite(tasks) ? moments_of_tasks(drawn, 2 * d, .1) : fresh, fresh, 2.5 * d * d, .01});
    EXPECT_NEAR(at_size.new_tasks / limit.new_tasks, 1, 0.02);
    EXPECT_NEAR(at_size.training_tasks / limit.training_tasks, 1, 0.01);
    EXPECT_NEAR(at_size.train / limit.train, 1, 0.01);
    EXPECT_NEAR(at_size.trace / limit.trace, 1, 0.01);
    EXPECT_NEAR(at_size.squared_norm / limit.squared_norm, 1, 0.01);
    EXPECT_EQ(small.tasks.has_value(), std::isfinite(tasks));
  }
}

/// Measured over the law given the tasks: within three standard errors and 2/d. Where there are fewer sequences than
/// unknowns and training fits every label, corrections are larger: 40 layers at d = 20, 40, 60 (context 1, tasks 0.2,
/// sequences 0.5, noise 1, λ = 0.05) have 13.4, 8.7, 5.0 % of the errors, which is 3/d, and 30, 17, 9 % of the norm,
/// 6/d; the error on the training sequences is then of order λ², and its corrections are of its own order.
void expect_near_law(const InContextExperiment& e) {
  const double d = static_cast<double>(e.d);
  const auto near = [&](double InContextMeasured::*figure, double allowed) {
    EXPECT_LT(std::abs(e.difference.*figure), 3 * e.difference_error.*figure + allowed)
        << "d = " << e.d << " context " << e.model.context << " tasks " << e.model.tasks << " sequences "
        << e.model.sequences;
  };
  for (const auto figure :
       {&InContextMeasured::new_tasks, &InContextMeasured::training_tasks, &InContextMeasured::trace})
    near(figure, (e.model.sequences < 1 ? 4 : 2) / d);
  near(&InContextMeasured::squared_norm, 8 / d);
}

TEST(InContextFiniteSize, SimulationsFollowTheLawOfTheirTasks) {
  for (const InContextModel& model :
       {model_of(2, .5, 2.5, .1, .01), model_of(2, 2, .5, .1, 0), model_of(3, kInf, .8, .1, .1)}) {
    const InContextExperiment experiment = simulate_in_context(model, at(20, 8));
    expect_near_law(experiment);
  }
}

/// Where noise is small the law is far from the quarter circle of the same second moment.
TEST(InContextFiniteSize, SingularValuesFollowTheirLaw) {
  constexpr double kNear = 2.5 / 20, kFar = 0.25;
  for (const InContextModel& model : {model_of(5, 4, 4, .05, .05), model_of(20, .5, 8, .1, .1)}) {
    const InContextExperiment experiment = simulate_in_context(model, at(20, 4));
    EXPECT_LT(experiment.kolmogorov_distance->value, kNear);
    const double radius = 2 * std::sqrt(predict_in_context(model).squared_norm);
    const auto quarter_circle = [&](double x) {
      const double share = std::min(x / radius, 1.0);
      return 2 / M_PI * (std::asin(share) + share * std::sqrt(1 - share * share));
    };
    EXPECT_GT(matrix_laws::kolmogorov_distance(experiment.singular_values(), quarter_circle, 0), kFar);
  }
}

TEST(InContextFiniteSize, SimulationsOfAllSizesFollowTheLawSlow) {
  for (const InContextModel& model :
       {model_of(2, .5, 2.5, .1, .01), model_of(2, 2, .5, .1, 0), model_of(1, 1, 1, .2, .1),
        model_of(10, 2, 1.5, .1, 0), model_of(5, .3, .7, .01, 0), model_of(3, 1, .3, .1, .3),
        model_of(1, .2, .5, 1, .05)})
    for (const std::size_t d : {40u, 60u, 80u})
      if (model.sequences < 1 || d < 80) expect_near_law(simulate_in_context(model, at(d, 4)));
  expect_near_law(simulate_in_context(model_of(4, 1.5, 1.5, .1, 0), at(80, 2)));
}

TEST(InContextFiniteSize, CovariancesAndMismatchFollowTheirLaw) {
  InContextModel model = model_of(2, 1.5, 2, .1, .02);
  model.covariance = TaskCovariance::parse("list:1.6,0.4");
  model.test_covariance = TaskCovariance::parse("list:0.4,1.6");
  model.test_context = 8;
  expect_near_law(simulate_in_context(model, at(24, 6)));
}

TEST(InContextFiniteSize, ExtrapolatesToItsLaw) {
  const InContextModel model = model_of(2, 2, .5, .1, .1);
  std::vector<InContextExperiment> experiments;
  for (const std::size_t d : {12u, 18u, 27u}) experiments.push_back(simulate_in_context(model, at(d, 16)));
  const InContextExtrapolation limit = extrapolate(experiments);
  const InContextLimit& difference = limit.difference;
  EXPECT_LT(std::abs(difference.new_tasks.value), 4 * difference.new_tasks.standard_error + 0.01);
  EXPECT_LT(std::abs(difference.training_tasks.value), 4 * difference.training_tasks.standard_error + 0.01);
  // A line through figures that lie on one ends where it does, whatever the weights.
  for (InContextExperiment& experiment : experiments)
    experiment.mean.trace = .3 + 2 / static_cast<double>(experiment.d);
  EXPECT_NEAR(extrapolate(experiments).measured.trace.value, .3, 1e-12);
  EXPECT_THAT([&] { extrapolate({experiments.front()}); },
              ThrowsMessage<std::invalid_argument>(HasSubstr("two or more d")));
}

TEST(InContextFiniteSize, TheSameOnAnyNumberOfThreads) {
  InContextExperimentOptions options = at(12, 3);
  options.threads = 1;
  const InContextExperiment one = simulate_in_context(model_of(2, .5, 2.5, .1, .01), options);
  options.threads = 2;
  const InContextExperiment two = simulate_in_context(model_of(2, .5, 2.5, .1, .01), options);
  EXPECT_EQ(one.singular_values(), two.singular_values());
  EXPECT_EQ(one.mean.new_tasks, two.mean.new_tasks);
  EXPECT_EQ(one.singular_values().size(), 36u);
}

TEST(InContextFiniteSize, RefusesWhatItCannotDraw) {
  const auto refuses = [](const InContextModel& model, InContextExperimentOptions options, const char* text) {
    EXPECT_THAT([&] { require_feasible(model, options); }, ThrowsMessage<std::invalid_argument>(HasSubstr(text)));
  };
  refuses(model_of(2, .5, 2, .1, .1), at(1, 1), "d must be an integer >= 2");
  refuses(model_of(2, .5, kInf, .1, .1), at(10, 1), "sequences");
  refuses(model_of(kInf, 2, 2, .1, .1), at(10, 1), "tokens of a context");
  refuses(model_of(2, .01, 2, .1, .1), at(10, 1), "tasks");
  refuses(model_of(2, 50, .1, .1, .1), at(10, 1), "a sequence for every task");
  refuses(model_of(2, .5, 2, .1, .1), at(10, 0), "instances");
  InContextModel vanishing = model_of(2, .5, 2, .1, .1);
  vanishing.covariance = TaskCovariance::parse("list:0@99,1@1");
  refuses(vanishing, at(10, 1),
          "'list:0@99,1@1' cannot be the covariance of tasks in 10 directions: the mean of its eigenvalues would be 0 "
          "instead of 0.01");
  std::swap(vanishing.covariance, vanishing.test_covariance.emplace());
  refuses(vanishing, at(10, 1),
          "'list:0@99,1@1' cannot be the covariance of tasks in 10 directions: the mean of its eigenvalues would be 0 "
          "instead of 0.01");
  InContextExperimentOptions huge = at(20000, 1);
  huge.solver = InContextSolver::normal;
  EXPECT_THAT([&] { require_feasible(model_of(2, .5, 2, .1, .1), huge); },
              ThrowsMessage<base::MemoryError>(HasSubstr("--solver iterative")));
}

}  // namespace
}  // namespace attnlaw::laws
