/// The loss against its definition, its gradients against finite differences, float against double.
#include <gtest/gtest.h>

#include <cmath>

#include "attnlaw/base/random.h"
#include "attnlaw/experiment/objective.h"
#include "attnlaw/experiment/scores.h"

namespace attnlaw::experiment {
namespace {

struct Case {
  const char* name;
  model::Head head;
  int tokens;
  double beta, target_beta, noise;
  int d;
};

void PrintTo(const Case& c, std::ostream* out) { *out << c.name; }

model::Problem problem_of(const Case& c) {
  model::Problem problem;
  problem.head = c.head;
  problem.tokens = c.tokens;
  problem.beta = c.beta;
  problem.target_beta = c.target_beta;
  problem.noise = c.noise;
  problem.alpha = 0.8;
  problem.lambda = 0.07;
  return problem;
}

Matrix<double> gaussian(Eigen::Index d, std::uint64_t stream) {
  Matrix<double> matrix(d, d);
  base::NormalStream(77, stream).fill(0, std::span(matrix.data(), static_cast<std::size_t>(matrix.size())));
  return matrix;
}

Matrix<double> symmetric(Eigen::Index d, std::uint64_t stream) {
  const Matrix<double> G = gaussian(d, stream);
  return (G + G.transpose()) / std::sqrt(2.0 * static_cast<double>(d));
}

double inner(const Matrix<double>& a, const Matrix<double>& b) { return (a.array() * b.array()).sum(); }

class Gradient : public testing::TestWithParam<Case> {
 protected:
  Gradient()
      : problem_(problem_of(GetParam())),
        target_(problem_.target.eigenvalues(static_cast<std::size_t>(d()), 1, 0)),
        data_(draw_data<double>(problem_, target_, 1, 0)),
        objective_(problem_, data_, 1) {}

  Eigen::Index d() const { return GetParam().d; }

  model::Problem problem_;
  std::vector<double> target_;
  Data<double> data_;
  Objective<double> objective_;
};

/// ℓ of one sequence straight from docs/theory/erm.md section 1.
double loss_by_definition(const model::Problem& problem, const Matrix<double>& X, const Columns<double>& labels,
                          Eigen::Index mu, const Matrix<double>& S) {
  const int T = problem.tokens;
  const Matrix<double> x = X.middleRows(mu * T, T);
  const Matrix<double> h =
      (x * S * x.transpose() - S.trace() * Matrix<double>::Identity(T, T)) / std::sqrt(static_cast<double>(S.rows()));
  double loss = 0;
  for (int a = 0; a < T; ++a) {
    const double normalisation = (problem.beta * h.row(a)).array().exp().sum();
    for (int b = 0; b < T; ++b) {
      double output = h(a, b), label = 0;
      if (problem.head == model::Head::softmax) {
        output = std::exp(problem.beta * h(a, b)) / normalisation;
        label = labels(mu, a * T + b);
      } else {
        label = labels(mu, score_index(T, a, b));
      }
      loss += (label - output) * (label - output);
    }
  }
  return loss;
}

TEST_P(Gradient, LossIsItsDefinition) {
  const Matrix<double> S = symmetric(d(), 2);
  double expected = 0;
  for (Eigen::Index mu = 0; mu < data_.labels.rows(); ++mu) {
    expected += loss_by_definition(problem_, data_.X, data_.labels, mu, S);
  }
  expected /= static_cast<double>(d() * d());
  Matrix<double> gradient;
  EXPECT_NEAR(objective_.loss(S), expected, 1e-12 * expected);
  EXPECT_NEAR(objective_.loss(S, gradient), expected, 1e-12 * expected);
}

/// Central differences (f(x+εv) − f(x−εv))/2ε are exact to ε² plus rounding/ε.
constexpr double kStep = 1e-5;
constexpr double kDifferenceError = 1e-8;

TEST_P(Gradient, InSIsTheSlopeOfTheLoss) {
  const Matrix<double> S = symmetric(d(), 3);
  Matrix<double> gradient;
  objective_.loss(S, gradient);
  EXPECT_LT((gradient - gradient.transpose()).norm(), 1e-14);
  for (std::uint64_t stream = 10; stream < 14; ++stream) {
    const Matrix<double> V = symmetric(d(), stream);
    const double slope = (objective_.loss(S + kStep * V) - objective_.loss(S - kStep * V)) / (2 * kStep);
    EXPECT_NEAR(inner(gradient, V), slope, kDifferenceError * (1 + gradient.norm() * V.norm()));
  }
}

TEST_P(Gradient, InWIsTheSlopeOfTheObjective) {
  const Matrix<double> W = gaussian(d(), 4);
  Matrix<double> gradient, unused;
  objective_.objective_of_factor(W, gradient);
  for (std::uint64_t stream = 20; stream < 24; ++stream) {
    const Matrix<double> V = gaussian(d(), stream);
    const double slope = (objective_.objective_of_factor(W + kStep * V, unused) -
                          objective_.objective_of_factor(W - kStep * V, unused)) /
                         (2 * kStep);
    EXPECT_NEAR(inner(gradient, V), slope, kDifferenceError * (1 + gradient.norm() * V.norm()));
  }
}

/// S = W Wᵀ/d: ∇_W = (2/d)(∇_S + (λ/d) I) W.
TEST_P(Gradient, InWIsTheChainRuleOfTheGradientInS) {
  const Matrix<double> W = gaussian(d(), 5), S = student_of_factor(W);
  Matrix<double> in_W, in_S;
  const double value = objective_.objective_of_factor(W, in_W);
  const double loss = objective_.loss(S, in_S);
  const auto size = static_cast<double>(d());
  EXPECT_NEAR(value, loss + problem_.lambda * S.trace() / size, 1e-12 * value);
  const Matrix<double> expected = 2 / size * (in_S + problem_.lambda / size * Matrix<double>::Identity(d(), d())) * W;
  EXPECT_LT((in_W - expected).norm(), 1e-12 * expected.norm());
}

TEST_P(Gradient, InFloatAgreesWithDouble) {
  const Data<float> data{data_.X.cast<float>(), data_.labels.cast<float>()};
  Objective<float> single(problem_, data, 1);
  const Matrix<double> W = gaussian(d(), 6);
  Matrix<double> expected, gradient;
  const double value = objective_.objective_of_factor(W, expected);
  EXPECT_NEAR(single.objective_of_factor(W, gradient), value, 1e-5 * value);
  EXPECT_LT((gradient - expected).norm(), 2e-5 * expected.norm());
}

TEST_P(Gradient, HasTheSameBitsOnAnyNumberOfThreads) {
  const Matrix<double> W = gaussian(d(), 7);
  Matrix<double> expected, gradient;
  const double value = objective_.objective_of_factor(W, expected);
  for (const int threads : {2, 3}) {
    Objective<double> objective(problem_, data_, threads);
    EXPECT_EQ(objective.objective_of_factor(W, gradient), value);
    EXPECT_TRUE((gradient.array() == expected.array()).all());
  }
}

INSTANTIATE_TEST_SUITE_P(Problems, Gradient,
                         testing::Values(Case{"softmax_2", model::Head::softmax, 2, 1, 1, 0, 17},
                                         Case{"softmax_2_noise", model::Head::softmax, 2, 0.7, 1.6, 0.5, 40},
                                         Case{"softmax_3", model::Head::softmax, 3, 1.5, 1, 0, 19},
                                         Case{"softmax_5", model::Head::softmax, 5, 1, 1, 0.1, 12},
                                         Case{"linear_1", model::Head::linear, 1, 1, 1, 0.3, 21},
                                         Case{"linear_2", model::Head::linear, 2, 1, 1, 0, 150},
                                         Case{"softmax_300_tokens", model::Head::softmax, 300, 1, 1, 0, 3}),
                         [](const auto& parameter) { return std::string(parameter.param.name); });

TEST(Scores, AreIndexedBySymmetricPairsInOrder) {
  for (int T = 1, k = 0; T <= 6; ++T, k = 0) {
    for (int a = 0; a < T; ++a) {
      for (int b = a; b < T; ++b, ++k) {
        EXPECT_EQ(score_index(T, a, b), k);
        EXPECT_EQ(score_index(T, b, a), k);
      }
    }
  }
}

TEST(Softmax, DoesNotOverflowAtLowTemperature) {
  model::Problem problem;
  problem.beta = 1e6;
  Columns<float> scores(1, 3), outputs(1, 4);
  scores << 3.0F, 1.0F, -20.0F;
  student_outputs(problem, scores, outputs);
  EXPECT_EQ(outputs(0, 0), 1.0F);
  EXPECT_EQ(outputs(0, 1), 0.0F);
  EXPECT_EQ(outputs(0, 2), 1.0F);
  EXPECT_EQ(outputs(0, 3), 0.0F);
}

}  // namespace
}  // namespace attnlaw::experiment
