/// Every trainer ends at the same optimum, and the optimum is one.
#include <gtest/gtest.h>

#include <cmath>

#include "attnlaw/experiment/experiment.h"
#include "attnlaw/experiment/student/penalty.h"
#include "attnlaw/experiment/train/adam.h"
#include "attnlaw/experiment/train/fista.h"
#include "attnlaw/experiment/train/lbfgs.h"

namespace attnlaw::experiment {
namespace {

using base::Matrix;

struct Case {
  const char* name;
  model::Head head;
  int tokens, d;
  double alpha, lambda, noise;
};

void PrintTo(const Case& c, std::ostream* out) { *out << c.name; }

model::Problem problem_of(const Case& c) {
  model::Problem problem;
  problem.head = c.head;
  problem.tokens = c.tokens;
  problem.alpha = c.alpha;
  problem.lambda = c.lambda;
  problem.noise = c.noise;
  return problem;
}

constexpr double kTolerance = 1e-5;

class Trainers : public testing::TestWithParam<Case> {
 protected:
  Trainers()
      : problem_(problem_of(GetParam())),
        target_(problem_.target.eigenvalues(static_cast<std::size_t>(GetParam().d), 5, 0)),
        data_(draw_data<double>(problem_, target_, 5, 0)),
        objective_(problem_, data_, 1) {}

  double objective_at(const Matrix<double>& S) {
    return objective_.loss(S) + problem_.lambda * S.trace() / GetParam().d;
  }

  model::Problem problem_;
  std::vector<double> target_;
  Data<double> data_;
  Objective<double> objective_;
};

TEST_P(Trainers, EndAtTheSameOptimum) {
  const TrainingOptions options{.tolerance = kTolerance, .max_iterations = 20000, .seed = 5, .instance = 0};
  const Trained lbfgs = train_lbfgs(objective_, options), adam = train_adam(objective_, options),
                fista = train_fista(objective_, options);
  for (const Trained* trained : {&lbfgs, &adam, &fista}) {
    EXPECT_TRUE(trained->converged);
    EXPECT_LE(trained->kkt, kTolerance);
    EXPECT_LE((trained->S - fista.S).norm(), 1e-3 * fista.S.norm());
  }
  const double optimum = objective_at(fista.S);
  EXPECT_NEAR(objective_at(lbfgs.S), optimum, 1e-6 * optimum);
  EXPECT_NEAR(objective_at(adam.S), optimum, 1e-6 * optimum);
}

INSTANTIATE_TEST_SUITE_P(Problems, Trainers,
                         testing::Values(Case{"softmax", model::Head::softmax, 2, 24, 0.5, 0.05, 0},
                                         Case{"softmax_noise", model::Head::softmax, 3, 20, 0.6, 0.02, 0.5},
                                         Case{"linear", model::Head::linear, 2, 24, 0.3, 0.1, 0.2},
                                         Case{"quadratic_network", model::Head::linear, 1, 25, 0.8, 0.2, 0.05}),
                         [](const auto& parameter) { return std::string(parameter.param.name); });

/// At S = 0 the loss pulls with B/d; any larger λ keeps the student at zero.
TEST_P(Trainers, EndAtZeroForAHugePenalty) {
  problem_.lambda = 100;
  const TrainingOptions options{.tolerance = kTolerance, .max_iterations = 20000, .seed = 5, .instance = 0};
  EXPECT_EQ(train_fista(objective_, options).S.norm(), 0);
  EXPECT_EQ(train_fista(objective_, options).kkt, 0);
  for (const Trained& trained : {train_lbfgs(objective_, options), train_adam(objective_, options)}) {
    EXPECT_TRUE(trained.converged);
    EXPECT_LT(trained.S.norm(), 1e-6);
  }
}

/// The residual of a student of ordinary size has no other scale than its own; a negligible one counts as zero.
TEST_P(Trainers, ResidualIsRelativeToTheStudentUnlessThatIsNegligible) {
  const auto d = static_cast<Eigen::Index>(GetParam().d);
  const Matrix<double> gradient = Matrix<double>::Zero(d, d);  // B = 0: (B/d − λ I) S = −λ S
  const Matrix<double> identity = Matrix<double>::Identity(d, d);
  const double target = std::sqrt(problem_.target.Q_star());  // ‖S*‖_F/√d
  for (const double size : {1e3, 1.0, 1e-3, 1.01e-4}) {
    EXPECT_NEAR(kkt_residual(size * target * identity, gradient, problem_), 1, 1e-12);
  }
  EXPECT_NEAR(kkt_residual(1e-6 * target * identity, gradient, problem_), 1e-2, 1e-12);
  EXPECT_EQ(kkt_residual(0 * identity, gradient, problem_), 0);
}

/// The largest λ with S ≠ 0 is λ_max(B/d) at S = 0.
TEST_P(Trainers, LeaveZeroExactlyWhereTheLossPullsHarderThanThePenalty) {
  const auto d = static_cast<Eigen::Index>(GetParam().d);
  Matrix<double> gradient;
  objective_.loss(Matrix<double>::Zero(d, d), gradient);
  problem_.lambda = 1;
  const double at_one = kkt_residual(Matrix<double>::Zero(d, d), gradient, problem_);
  // kkt_residual at S = 0, λ = 1 is λ_max(B/d) − 1 if positive; a smaller λ makes sure that it is.
  const double small = 1e-6;
  problem_.lambda = small;
  const double pull = small * (1 + kkt_residual(Matrix<double>::Zero(d, d), gradient, problem_));
  EXPECT_NEAR(at_one, std::max(0.0, pull - 1), 1e-9);
  const TrainingOptions options{.tolerance = kTolerance, .max_iterations = 20000, .seed = 5, .instance = 0};
  problem_.lambda = 1.001 * pull;
  EXPECT_EQ(train_fista(objective_, options).S.norm(), 0);
  problem_.lambda = 0.999 * pull;
  EXPECT_GT(train_fista(objective_, options).S.norm(), 0);
}

TEST_P(Trainers, SayWhenTheyHaveNotConverged) {
  const TrainingOptions options{.tolerance = kTolerance, .max_iterations = 3, .seed = 5, .instance = 0};
  for (const Trained& trained :
       {train_lbfgs(objective_, options), train_adam(objective_, options), train_fista(objective_, options)}) {
    EXPECT_FALSE(trained.converged);
    EXPECT_EQ(trained.iterations, 3);
    EXPECT_GT(trained.kkt, kTolerance);
  }
}

/// The KKT residual is zero at an optimum only: a point nearby has one of the size of its distance.
TEST_P(Trainers, ResidualGrowsAwayFromTheOptimum) {
  const TrainingOptions options{.tolerance = 1e-8, .max_iterations = 20000, .seed = 5, .instance = 0};
  const Matrix<double> S = train_fista(objective_, options).S;
  Matrix<double> gradient;
  double previous = 1e-8;
  for (const double scale : {1.001, 1.01, 1.1}) {
    objective_.loss(scale * S, gradient);
    const double residual = kkt_residual(scale * S, gradient, problem_);
    EXPECT_GT(residual, 2 * previous);
    previous = residual;
  }
}

}  // namespace
}  // namespace attnlaw::experiment
