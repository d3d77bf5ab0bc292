/// The loss against its definition, its gradients against finite differences, float against double.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <utility>
#include <vector>

#include "attnlaw/experiment/data/losses.h"
#include "attnlaw/experiment/data/outputs.h"
#include "attnlaw/experiment/data/proximal_point.h"
#include "attnlaw/experiment/data/scores.h"
#include "attnlaw/experiment/student/objective.h"
#include "attnlaw/experiment/student/parameters.h"
#include "attnlaw/experiment/student/penalty.h"
#include "attnlaw/experiment/student/spectral.h"
#include "decompositions.h"
#include "experiment/samples.h"
#include "problems.h"

namespace attnlaw::experiment {
namespace {

using base::Columns;
using base::inner;
using base::Matrix;
using samples::gaussian;

struct Case {
  const char* name;
  model::Head head;
  int tokens;
  double beta, target_beta, noise;
  int d;
  model::Student student = model::Student::tied;
  double width = 1;
  int key_tokens = 0;  ///< the T2 of cross-attention
};

void PrintTo(const Case& c, std::ostream* out) { *out << c.name; }

model::Problem problem_of(const Case& c) {
  model::Problem problem;
  if (c.key_tokens > 0) problem = attnlaw::samples::crossed(problem, c.tokens, c.key_tokens);
  problem.head = c.head;
  problem.tokens = c.tokens;
  problem.beta = c.beta;
  problem.target_beta = c.target_beta;
  problem.noise = c.noise;
  problem.student = c.student;
  problem.width = c.width;
  problem.alpha = 0.8;
  problem.lambda = 0.07;
  return problem;
}

Matrix<double> symmetric(Eigen::Index d, std::uint64_t stream) {
  const Matrix<double> G = gaussian(d, d, stream);
  return (G + G.transpose()) / std::sqrt(2.0 * static_cast<double>(d));
}

class Gradient : public testing::TestWithParam<Case> {
 protected:
  Gradient()
      : problem_(problem_of(GetParam())),
        target_(problem_.target.eigenvalues(static_cast<std::size_t>(d()), 1, 0)),
        data_(draw_data<double>(problem_, target_, 1, 0)),
        objective_(problem_, data_, 1),
        parameters_(make_parameters(objective_)) {}

  Eigen::Index d() const { return GetParam().d; }
  bool tied() const { return problem_.student == model::Student::tied; }
  bool untied() const { return problem_.student == model::Student::untied; }
  /// Some S that the student may be.
  Matrix<double> some_student(std::uint64_t stream) const {
    if (student_layout(problem_).symmetric) return symmetric(d(), stream);
    return gaussian(d(), d(), stream) / std::sqrt(static_cast<double>(d()));
  }
  /// Some parameters of a student of ordinary size.
  Matrix<double> some_parameters(std::uint64_t stream) const {
    if (untied()) return gaussian(2 * d(), d(), stream);
    return tied() ? gaussian(d(), factor_columns(problem_, d()), stream) : some_student(stream);
  }

  /// Parameters as stationary points have them: factors of the same Gram matrix.
  Matrix<double> balanced_parameters(std::uint64_t stream) const {
    if (!untied()) return some_parameters(stream);
    const SingularSystem system = singular_system(some_student(stream));
    const auto root = Eigen::Map<const Eigen::VectorXd>(system.values.data(), d()).cwiseSqrt();
    Matrix<double> factors(2 * d(), d());
    factors << system.left * root.asDiagonal(), system.right.transpose() * root.asDiagonal();
    return std::sqrt(static_cast<double>(d())) * factors;
  }

  model::Problem problem_;
  std::vector<double> target_;
  Data<double> data_;
  Objective<double> objective_;
  std::unique_ptr<Parameters> parameters_;
};
class GradientOfOneFactor : public Gradient {};
class GradientOfTwoFactors : public Gradient {};

/// Scores of one sequence straight from docs/theory/erm.md section 1 and docs/theory/cross_attention.md section 1.
Matrix<double> scores_by_definition(const model::Problem& problem, const Data<double>& data, Eigen::Index mu,
                                    const Matrix<double>& S) {
  const int T = problem.tokens, keys = problem.keys();
  const double root = std::sqrt(static_cast<double>(S.rows()));
  const Matrix<double> x = data.X.middleRows(mu * T, T);
  if (problem.cross()) return x * S * data.Y.middleRows(mu * keys, keys).transpose() / root;
  return (x * S * x.transpose() - S.trace() * Matrix<double>::Identity(T, T)) / root;
}

double loss_by_definition(const model::Problem& problem, const Data<double>& data, Eigen::Index mu,
                          const Matrix<double>& S) {
  const Matrix<double> h = scores_by_definition(problem, data, mu, S);
  const Columns<double>& labels = data.labels;
  double loss = 0;
  for (int a = 0; a < h.rows(); ++a) {
    const double normalisation = (problem.beta * h.row(a)).array().exp().sum();
    for (int b = 0; b < h.cols(); ++b) {
      double output = h(a, b), label = 0;
      if (problem.head == model::Head::softmax) {
        output = std::exp(problem.beta * h(a, b)) / normalisation;
        label = labels(mu, a * h.cols() + b);
      } else {
        label = labels(mu, student_layout(problem).index(a, b));
      }
      loss += (label - output) * (label - output);
    }
  }
  return loss;
}

TEST_P(Gradient, LossIsItsDefinition) {
  const Matrix<double> S = some_student(2);
  double expected = 0;
  for (Eigen::Index mu = 0; mu < data_.labels.rows(); ++mu) {
    expected += loss_by_definition(problem_, data_, mu, S);
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
  const Matrix<double> S = some_student(3);
  Matrix<double> gradient;
  objective_.loss(S, gradient);
  if (student_layout(problem_).symmetric) {
    EXPECT_LT((gradient - gradient.transpose()).norm(), 1e-14);
  }
  for (std::uint64_t stream = 10; stream < 14; ++stream) {
    const Matrix<double> V = some_student(stream);
    const double slope = (objective_.loss(S + kStep * V) - objective_.loss(S - kStep * V)) / (2 * kStep);
    EXPECT_NEAR(inner(gradient, V), slope, kDifferenceError * (1 + gradient.norm() * V.norm()));
  }
}

TEST_P(Gradient, InTheParametersIsTheSlopeOfTheObjective) {
  const Matrix<double> point = some_parameters(4);
  Matrix<double> gradient, unused;
  parameters_->objective(point, gradient);
  for (std::uint64_t stream = 20; stream < 24; ++stream) {
    const Matrix<double> V = some_parameters(stream);
    const double slope =
        (parameters_->objective(point + kStep * V, unused) - parameters_->objective(point - kStep * V, unused)) /
        (2 * kStep);
    EXPECT_NEAR(inner(gradient, V), slope, kDifferenceError * (1 + gradient.norm() * V.norm()));
  }
}

TEST_P(Gradient, ObjectiveIsLossPlusPenalty) {
  const Matrix<double> point = balanced_parameters(5), S = parameters_->student(point);
  Matrix<double> unused;
  const auto size = static_cast<double>(d());
  const double norm = untied() ? test::singular_values(S).sum() : S.squaredNorm();
  const double penalty = problem_.lambda / size * (tied() ? S.trace() : norm);
  const double value = parameters_->objective(point, unused);
  EXPECT_NEAR(value, objective_.loss(S) + penalty, 1e-12 * value);
  EXPECT_NEAR(make_penalty(problem_)->value(S), penalty, 1e-12 * penalty);
}

/// ‖S‖_* is the least (‖W_Q‖² + ‖W_K‖²)/2 of all factors of S.
TEST_P(GradientOfTwoFactors, DecayOfUnequalFactorsIsMoreThanTheNuclearNorm) {
  const Matrix<double> point = some_parameters(5), S = parameters_->student(point);
  Matrix<double> unused;
  EXPECT_GT(parameters_->objective(point, unused), objective_.loss(S) + make_penalty(problem_)->value(S));
}

/// S = W Wᵀ/√(m_h d): ∇_W = (2/√(m_h d))(∇_S + (λ/d) I) W.
TEST_P(GradientOfOneFactor, IsTheChainRuleOfTheGradientInS) {
  const Matrix<double> W = some_parameters(5), S = student_of_factor(W);
  const auto size = static_cast<double>(d()), columns = static_cast<double>(W.cols());
  EXPECT_LT((S - W * W.transpose() / std::sqrt(columns * size)).norm(), 1e-12 * S.norm());
  Matrix<double> in_W, in_S;
  objective_.objective_of_factor(W, in_W);
  objective_.loss(S, in_S);
  const Matrix<double> expected =
      2 / std::sqrt(columns * size) * (in_S + problem_.lambda / size * Matrix<double>::Identity(d(), d())) * W;
  EXPECT_LT((in_W - expected).norm(), 1e-12 * expected.norm());
}

/// S = W_Q W_Kᵀ/√(m_h d): ∇_{W_Q} = (∇_S W_K + (λ/d) W_Q)/√(m_h d), and the transpose for W_K.
TEST_P(GradientOfTwoFactors, IsTheChainRuleOfTheGradientInS) {
  const Matrix<double> factors = some_parameters(5), S = student_of_factors(factors);
  const Matrix<double> queries = factors.topRows(d()), keys = factors.bottomRows(d());
  const auto size = static_cast<double>(d());
  EXPECT_LT((S - queries * keys.transpose() / size).norm(), 1e-12 * S.norm());
  Matrix<double> gradient, in_S;
  objective_.objective_of_factors(factors, gradient);
  objective_.loss(S, in_S);
  const double decay = problem_.lambda / size;
  EXPECT_LT((size * gradient.topRows(d()) - in_S * keys - decay * queries).norm(), 1e-12 * size * gradient.norm());
  EXPECT_LT((size * gradient.bottomRows(d()) - in_S.transpose() * queries - decay * keys).norm(),
            1e-12 * size * gradient.norm());
}

/// What the gradient in the parameters tells of the residual is no more than the residual, and all of it where only
/// stationarity counts.
TEST_P(Gradient, BoundsTheResidual) {
  const Matrix<double> point = balanced_parameters(8), S = parameters_->student(point);
  Matrix<double> gradient, loss_gradient;
  parameters_->objective(point, gradient);
  objective_.loss(S, loss_gradient);
  const double residual = kkt_residual(S, loss_gradient, problem_);
  const double bound = parameters_->residual_bound(point, gradient);
  EXPECT_LE(bound, residual * (1 + 1e-10));
  if (!untied() && (!tied() || problem_.width < 1)) {
    EXPECT_NEAR(bound, residual, 1e-10 * residual);
  }
}

TEST_P(Gradient, InFloatAgreesWithDouble) {
  const Data<float> data{.X = data_.X.cast<float>(), .Y = data_.Y.cast<float>(), .labels = data_.labels.cast<float>()};
  Objective<float> single(problem_, data, 1);
  const Matrix<double> point = some_parameters(6);
  Matrix<double> expected, gradient;
  const double value = parameters_->objective(point, expected);
  EXPECT_NEAR(make_parameters(single)->objective(point, gradient), value, 1e-5 * value);
  EXPECT_LT((gradient - expected).norm(), 2e-5 * expected.norm());
}

TEST_P(Gradient, HasTheSameBitsOnAnyNumberOfThreads) {
  const Matrix<double> point = some_parameters(7);
  Matrix<double> expected, gradient;
  const double value = parameters_->objective(point, expected);
  for (const int threads : {2, 3}) {
    Objective<double> objective(problem_, data_, threads);
    EXPECT_EQ(make_parameters(objective)->objective(point, gradient), value);
    EXPECT_TRUE((gradient.array() == expected.array()).all());
  }
}

using model::Student;
const Case kCases[] = {{"softmax_2", model::Head::softmax, 2, 1, 1, 0, 17},
                       {"softmax_2_noise", model::Head::softmax, 2, 0.7, 1.6, 0.5, 40},
                       {"softmax_3", model::Head::softmax, 3, 1.5, 1, 0, 19},
                       {"softmax_5", model::Head::softmax, 5, 1, 1, 0.1, 12},
                       {"linear_1", model::Head::linear, 1, 1, 1, 0.3, 21},
                       {"linear_2", model::Head::linear, 2, 1, 1, 0, 80},
                       {"softmax_300_tokens", model::Head::softmax, 300, 1, 1, 0, 3},
                       {"narrow", model::Head::softmax, 3, 1.5, 1, 0.1, 19, Student::tied, 0.3},
                       {"narrow_linear", model::Head::linear, 2, 1, 1, 0.2, 30, Student::tied, 0.5},
                       {"direct", model::Head::softmax, 3, 1.5, 1, 0.1, 19, Student::direct},
                       {"direct_linear", model::Head::linear, 2, 1, 1, 0.2, 20, Student::direct},
                       {"general_2", model::Head::softmax, 2, 0.7, 1.6, 0, 24, Student::direct_general},
                       {"general_4", model::Head::softmax, 4, 1, 1, 0.3, 16, Student::direct_general},
                       {"general_linear", model::Head::linear, 3, 1, 1, 0.3, 18, Student::direct_general},
                       {"general_linear_1", model::Head::linear, 1, 1, 1, 0.3, 18, Student::direct_general},
                       {"untied_2", model::Head::softmax, 2, 0.7, 1.6, 0, 24, Student::untied},
                       {"untied_3", model::Head::softmax, 3, 1, 1, 0.3, 60, Student::untied},
                       {"untied_linear", model::Head::linear, 2, 1, 1, 0.3, 18, Student::untied},
                       {"cross_2_2", model::Head::softmax, 2, 1, 1, 0.2, 40, Student::untied, 1, 2},
                       {"cross_1_3", model::Head::softmax, 1, 0.7, 1.6, 0, 23, Student::untied, 1, 3},
                       {"cross_5_2", model::Head::softmax, 5, 1, 1, 0, 40, Student::untied, 1, 2},
                       {"cross_300_2", model::Head::softmax, 300, 1, 1, 0, 3, Student::untied, 1, 2},
                       {"cross_2_300", model::Head::softmax, 2, 1, 1, 0, 3, Student::untied, 1, 300},
                       {"cross_linear", model::Head::linear, 2, 1, 1, 0.5, 20, Student::untied, 1, 1},
                       {"cross_direct", model::Head::softmax, 2, 1, 1, 0.1, 19, Student::direct, 1, 3}};

std::vector<Case> cases_of(Student student) {
  std::vector<Case> cases;
  std::copy_if(std::begin(kCases), std::end(kCases), std::back_inserter(cases),
               [&](const Case& c) { return c.student == student; });
  return cases;
}

const auto kCaseName = [](const auto& tested) { return std::string(tested.param.name); };
INSTANTIATE_TEST_SUITE_P(Problems, Gradient, testing::ValuesIn(kCases), kCaseName);
INSTANTIATE_TEST_SUITE_P(Problems, GradientOfOneFactor, testing::ValuesIn(cases_of(Student::tied)), kCaseName);
INSTANTIATE_TEST_SUITE_P(Problems, GradientOfTwoFactors, testing::ValuesIn(cases_of(Student::untied)), kCaseName);

TEST(Scores, AreIndexedInOrder) {
  for (int T = 1; T <= 6; ++T) {
    for (const bool symmetric : {true, false}) {
      const ScoreLayout layout = ScoreLayout::of_self(T, symmetric);
      int count = 0, entries = 0;
      layout.for_each([&](int a, int b, int k) {
        EXPECT_EQ(k, count++);
        EXPECT_EQ(layout.index(a, b), k);
        EXPECT_EQ(layout.index(b, a) == k, symmetric || a == b);
        entries += layout.multiplicity(a, b);
      });
      EXPECT_EQ(layout.count(), count);
      EXPECT_EQ(entries, T * T);
    }
  }
}

TEST(Scores, OfCrossAttentionAreIndexedByRows) {
  for (const auto& [queries, keys] : {std::pair(1, 1), {2, 3}, {4, 2}, {1, 5}}) {
    const ScoreLayout layout = ScoreLayout::of_cross(queries, keys);
    int count = 0;
    layout.for_each([&](int a, int b, int k) {
      EXPECT_EQ(k, count++);
      EXPECT_EQ(k, a * keys + b);
      EXPECT_EQ(layout.index(a, b), k);
      EXPECT_EQ(layout.multiplicity(a, b), 1);
      EXPECT_EQ(layout.variance(a, b), 1);
    });
    EXPECT_EQ(layout.count(), queries * keys);
    EXPECT_EQ(count, queries * keys);
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

/// A label and a field of T tokens, V between weak and strong.
struct ProximalCase {
  model::Head head;
  int tokens;
  double beta, V;
};

class Prox : public testing::TestWithParam<ProximalCase> {
 protected:
  Prox() : label_(1, 1) {
    problem_.head = GetParam().head;
    problem_.tokens = GetParam().tokens;
    problem_.beta = GetParam().beta;
    const Eigen::Index K = problem_.score_count();
    omega_ = gaussian(K, 1, 31);
    start_ = gaussian(K, 1, 32);
    const Columns<double> scores = 1.5 * gaussian(1, K, 33).array();
    label_.resize(1, output_count(problem_));
    target_outputs(problem_, scores, label_);
  }

  /// ℓ at z, by the code of the objective.
  double loss(const Eigen::VectorXd& z) const {
    Columns<double> scores = (z.array() * score_norms(student_layout(problem_)).array()).transpose();
    Columns<double> outputs(1, output_count(problem_));
    return loss_and_coefficients<double>(problem_, label_, scores, outputs);
  }
  double objective(const Eigen::VectorXd& z) const { return loss(z) + (z - omega_).squaredNorm() / (2 * GetParam().V); }

  model::Problem problem_;
  Eigen::VectorXd omega_, start_;
  Columns<double> label_;
};

TEST_P(Prox, IsAMinimum) {
  ProximalPoint proximal(problem_);
  proximal.solve(label_, omega_, start_, GetParam().V);
  const Eigen::VectorXd z = omega_ + GetParam().V * proximal.g();
  const double minimum = objective(z);
  EXPECT_LE(minimum, objective(omega_));
  EXPECT_LE(minimum, objective(start_));
  for (std::uint64_t stream = 40; stream < 60; ++stream) {
    const Eigen::VectorXd step = gaussian(z.size(), 1, stream);
    for (const double size : {1e-3, 0.1}) EXPECT_LE(minimum, objective(z + size * step) * (1 + 1e-13));
  }
}

/// −Σ_k ∂g_k/∂ω_k by central differences of g.
TEST_P(Prox, ResponseIsTheDivergenceOfG) {
  ProximalPoint proximal(problem_);
  proximal.solve(label_, omega_, start_, GetParam().V);
  const double response = proximal.response();
  const Eigen::VectorXd at = omega_ + GetParam().V * proximal.g();
  constexpr double kShift = 1e-4;
  double divergence = 0;
  for (Eigen::Index k = 0; k < omega_.size(); ++k) {
    for (const double sign : {1.0, -1.0}) {
      Eigen::VectorXd omega = omega_;
      omega[k] += sign * kShift;
      proximal.solve(label_, omega, at, GetParam().V);
      divergence += sign * proximal.g()[k] / (2 * kShift);
    }
  }
  EXPECT_NEAR(response, -divergence, 1e-5 * (1 + std::abs(response)));
}

INSTANTIATE_TEST_SUITE_P(Cases, Prox,
                         testing::Values(ProximalCase{model::Head::softmax, 2, 1, 0.3},
                                         ProximalCase{model::Head::softmax, 2, 1.5, 4},
                                         ProximalCase{model::Head::softmax, 3, 1, 1},
                                         ProximalCase{model::Head::softmax, 5, 0.8, 2},
                                         ProximalCase{model::Head::linear, 3, 1, 0.7}));

/// ℓ = 2|z − z_y|²: ẑ = (ω + 4V z_y)/(1 + 4V).
TEST(ProxOfTheLinearHead, HasItsClosedForm) {
  model::Problem problem;
  problem.head = model::Head::linear;
  constexpr double kV = 0.6;
  const Eigen::VectorXd z_y = gaussian(3, 1, 5), omega = gaussian(3, 1, 6);
  const Columns<double> label = (z_y.array() * score_norms({2, 2, true}).array()).transpose();
  ProximalPoint proximal(problem);
  proximal.solve(label, omega, omega, kV);
  EXPECT_LT((proximal.g() - 4 * (z_y - omega) / (1 + 4 * kV)).norm(), 1e-12);
  EXPECT_NEAR(proximal.response(), 3 * 4 / (1 + 4 * kV), 1e-12);
}

}  // namespace
}  // namespace attnlaw::experiment
