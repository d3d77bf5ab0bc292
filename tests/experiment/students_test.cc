/// Students other than the tied one at full width: against dense solves, limits, and each other.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <Eigen/Dense>
#include <cmath>
#include <memory>
#include <stdexcept>

#include "attnlaw/experiment/data/scores.h"
#include "attnlaw/experiment/experiment.h"
#include "attnlaw/experiment/student/penalty.h"
#include "attnlaw/experiment/train/adam.h"
#include "attnlaw/experiment/train/fista.h"
#include "attnlaw/experiment/train/lbfgs.h"
#include "experiment/samples.h"

namespace attnlaw::experiment {
namespace {

using base::Matrix;
using model::Head;
using model::Student;
using testing::AllOf;
using testing::HasSubstr;
using testing::ThrowsMessage;

model::Problem problem_of(Student student, Head head, int tokens, double alpha, double lambda, double noise) {
  model::Problem problem;
  problem.student = student;
  problem.head = head;
  problem.tokens = tokens;
  problem.alpha = alpha;
  problem.lambda = lambda;
  problem.noise = noise;
  return problem;
}

const TrainingOptions kPrecise{.tolerance = 1e-9, .max_iterations = 20000, .seed = 5, .instance = 0};

/// min Σ_μ Σ_ab (y_ab − h_ab(S))² + λ d‖S‖²_F over all d×d matrices, as a linear system in their d² entries.
Matrix<double> dense_ridge(const model::Problem& problem, const Data<double>& data) {
  const Eigen::Index d = data.X.cols();
  const int T = problem.tokens;
  Eigen::MatrixXd normal = problem.lambda * static_cast<double>(d) * Eigen::MatrixXd::Identity(d * d, d * d);
  Eigen::VectorXd right = Eigen::VectorXd::Zero(d * d);
  for (Eigen::Index mu = 0; mu < data.labels.rows(); ++mu) {
    for (int a = 0; a < T; ++a) {
      for (int b = 0; b < T; ++b) {
        Matrix<double> feature = data.X.row(mu * T + a).transpose() * data.X.row(mu * T + b);
        if (a == b) feature.diagonal().array() -= 1;
        const Eigen::VectorXd row = Eigen::Map<Eigen::VectorXd>(feature.data(), d * d) / std::sqrt(double(d));
        normal += row * row.transpose();
        right += data.labels(mu, student_layout(problem).index(a, b)) * row;
      }
    }
  }
  const Eigen::VectorXd solution = normal.llt().solve(right);
  return Eigen::Map<const Matrix<double>>(solution.data(), d, d);
}

/// Labels of a symmetric target are symmetric: so is the solution, whatever S is allowed to be, and both direct
/// students end there.
TEST(DirectStudents, OfTheLinearHeadSolveTheirLinearSystem) {
  for (const Student student : {Student::direct, Student::direct_general}) {
    for (const int tokens : {1, 2, 3}) {
      const model::Problem problem = problem_of(student, Head::linear, tokens, 0.6, 0.1, 0.3);
      const std::vector<double> target = problem.target.eigenvalues(8, 5, 0);
      const Data<double> data = draw_data<double>(problem, target, 5, 0);
      Objective<double> objective(problem, data, 1);
      const Matrix<double> expected = dense_ridge(problem, data);
      Matrix<double> gradient;
      objective.loss(expected, gradient);
      EXPECT_LT(kkt_residual(expected, gradient, problem), 1e-12);
      for (const Trained& trained : {train_lbfgs(objective, kPrecise), train_fista(objective, kPrecise)}) {
        EXPECT_TRUE(trained.converged) << trained.kkt;
        EXPECT_LT((trained.S - expected).norm(), 1e-7 * expected.norm());
      }
      const TrainingOptions options{.tolerance = 1e-5, .max_iterations = 20000, .seed = 5, .instance = 0};
      EXPECT_LT((train_adam(objective, options).S - expected).norm(), 1e-3 * expected.norm());
    }
  }
}

TEST(DirectStudents, EndAtTheSameOptimumByEveryTrainer) {
  for (const Student student : {Student::direct, Student::direct_general}) {
    const model::Problem problem = problem_of(student, Head::softmax, 3, 0.4, 0.05, 0.1);
    const Data<double> data = draw_data<double>(problem, problem.target.eigenvalues(20, 5, 0), 5, 0);
    Objective<double> objective(problem, data, 1);
    const TrainingOptions options{.tolerance = 1e-5, .max_iterations = 20000, .seed = 5, .instance = 0};
    const Trained lbfgs = train_lbfgs(objective, options);
    for (const Trained& trained : {train_adam(objective, options), train_fista(objective, options)}) {
      EXPECT_TRUE(trained.converged);
      EXPECT_LT((trained.S - lbfgs.S).norm(), 1e-3 * lbfgs.S.norm());
    }
    const double asymmetry = (lbfgs.S - lbfgs.S.transpose()).norm();
    if (student == Student::direct) {
      EXPECT_EQ(asymmetry, 0);
    } else {
      EXPECT_GT(asymmetry, 0.1 * lbfgs.S.norm());
    }
  }
}

/// With n T² > d² noiseless equations the ridge only biases: ‖S − S*‖² ∝ λ².
TEST(DirectStudents, OfTheLinearHeadRecoverTheTargetAsThePenaltyVanishes) {
  for (const Student student : {Student::direct, Student::direct_general}) {
    double previous = 0;
    for (const double lambda : {0.1, 0.01}) {
      const Experiment experiment =
          run(problem_of(student, Head::linear, 2, 2, lambda, 0), samples::small_run(20, 1, 11));
      EXPECT_TRUE(experiment.converged());
      if (previous > 0) {
        EXPECT_NEAR(experiment.mean.estimation, previous / 100, previous / 200);
      }
      previous = experiment.mean.estimation;
    }
    EXPECT_LT(previous, 1e-4);
  }
}

TEST(DirectStudents, MeasureWhatTheirIdentitiesSay) {
  for (const Student student : {Student::direct, Student::direct_general}) {
    const model::Problem problem = problem_of(student, Head::softmax, 2, 0.3, 0.05, 0.1);
    const Experiment experiment = run(problem, samples::small_run(20, 2, 11));
    EXPECT_TRUE(experiment.converged());
    for (const Instance& i : experiment.instances) {
      double second = 0;
      for (const double s : i.eigenvalues) second += s * s;
      EXPECT_NEAR(i.q, second / 20, 1e-12);
      EXPECT_NEAR(i.estimation, i.Q_star - 2 * i.m + i.q + i.q_a, 1e-12);
      EXPECT_NEAR(i.objective, problem.alpha * i.train + problem.lambda * (i.q + i.q_a), 1e-12);
      if (student == Student::direct) {
        EXPECT_EQ(i.q_a, 0);
      } else {
        EXPECT_GT(i.q_a, 1e-3);
      }
      EXPECT_TRUE(i.trajectory.empty());
    }
  }
}

/// Means, standard errors and sizes of docs/theory (untied, B2: κ* = 0.5, λ = 0.05, Δ = 0): theory up to the
/// finite-size corrections of a few percent seen there.
TEST(DirectStudents, SlowGeneralReproducesTheTheory) {
  struct Row {
    int tokens;
    double alpha;
    int d;
    double q, q_a, m, estimation, train, test;
  };
  for (const Row& row : {Row{2, 0.3, 60, 0.2567, 0.0324, 0.5237, 0.7417, 0.0257, 0.1634},
                         Row{3, 0.2, 100, 0.3493, 0.0252, 0.6675, 0.5395, 0.0534, 0.1957}}) {
    SCOPED_TRACE(row.tokens);
    Options options = samples::small_run(row.d, 12, 11);
    options.precision = Precision::single_;
    const Experiment experiment =
        run(problem_of(Student::direct_general, Head::softmax, row.tokens, row.alpha, 0.05, 0), options);
    const auto expect_near = [&](double Measurements::*quantity, double theory) {
      EXPECT_NEAR(experiment.mean.*quantity, theory, 4 * experiment.standard_error.*quantity + 0.04 * theory);
    };
    EXPECT_TRUE(experiment.converged());
    expect_near(&Measurements::q, row.q);
    expect_near(&Measurements::q_a, row.q_a);
    expect_near(&Measurements::m, row.m);
    expect_near(&Measurements::estimation, row.estimation);
    expect_near(&Measurements::train, row.train);
    expect_near(&Measurements::test, row.test);
  }
}

TEST(Width, OfAtLeastOneIsFullWidth) {
  model::Problem problem;
  problem.alpha = 0.5;
  const Experiment full = run(problem, samples::small_run(20, 1, 11));
  problem.width = 3;
  const Experiment wide = run(problem, samples::small_run(20, 1, 11));
  EXPECT_EQ(full.instances[0].eigenvalues, wide.instances[0].eigenvalues);
  EXPECT_EQ(full.instances[0].test, wide.instances[0].test);
}

/// The optimum at full width has rank 9 or less of 20 here (κ* = 0.3): width 0.6 does not hold it back.
TEST(Width, BeyondTheRankOfTheOptimumChangesNothing) {
  model::Problem problem;
  problem.target = model::Target::parse("wishart:0.3");
  problem.alpha = 0.5;
  const Instance full = run(problem, samples::small_run(20, 1, 11)).instances[0];
  problem.width = 0.6;
  const Instance narrow = run(problem, samples::small_run(20, 1, 11)).instances[0];
  ASSERT_LT(full.eigenvalues[9], 1e-3);
  EXPECT_TRUE(narrow.converged);
  EXPECT_NEAR(narrow.objective, full.objective, 1e-8 * full.objective);
}

/// Held back by its width: the rank is m_h, the objective higher, and W is stationary by either trainer.
TEST(Width, BelowOneBoundsTheRank) {
  model::Problem problem;
  problem.alpha = 0.5;
  const Instance full = run(problem, samples::small_run(20, 1, 11)).instances[0];
  problem.width = 0.2;
  for (const Trainer trainer : {Trainer::lbfgs, Trainer::adam}) {
    Options options = samples::small_run(20, 1, 11);
    options.trainer = trainer;
    const Instance narrow = run(problem, options).instances[0];
    EXPECT_TRUE(narrow.converged);
    EXPECT_GT(narrow.eigenvalues[3], 0.1);
    EXPECT_LT(std::abs(narrow.eigenvalues[4]), 1e-12);
    EXPECT_GT(narrow.objective, full.objective);
  }
}

/// Where S has zeros left within its width, nothing but the penalty keeps them: λ_max(B/d) ≤ λ is asked for.
TEST(Width, WithRankLeftAsksForTheSlackToBeNegative) {
  model::Problem problem;
  problem.width = 0.5;
  const Matrix<double> zero = Matrix<double>::Zero(10, 10);
  Matrix<double> gradient = zero;
  gradient(0, 0) = -0.2;  // B/d = 2 in one direction
  EXPECT_NEAR(kkt_residual(zero, gradient, problem), (2 - problem.lambda) / problem.lambda, 1e-12);
  Matrix<double> S = zero;
  S.diagonal().tail(5).setConstant(1);
  gradient.diagonal().tail(5).setConstant(-problem.lambda / 10);
  EXPECT_NEAR(kkt_residual(S, gradient, problem), 0, 1e-12);
}

void expect_rejected(const model::Problem& problem, Trainer trainer, const std::string& one, const std::string& other) {
  Options options = samples::small_run(20, 1, 11);
  options.trainer = trainer;
  EXPECT_THAT([&] { require_feasible(problem, options); },
              ThrowsMessage<std::invalid_argument>(AllOf(HasSubstr(one), HasSubstr(other))));
}

TEST(Rejects, TrainersThatDoNotServeTheStudent) {
  model::Problem problem;
  problem.width = 0.5;
  for (const Trainer trainer : {Trainer::fista, Trainer::gamp}) {
    expect_rejected(problem, trainer, name(trainer) + " does not serve student tied of width 0.5",
                    "accepted: lbfgs, adam");
  }
  problem.width = 0.01;
  expect_rejected(problem, Trainer::lbfgs, "at least 1 column", "width = 0.01 with d = 20");
  problem = problem_of(Student::direct, Head::softmax, 2, 1, 0.1, 0);
  expect_rejected(problem, Trainer::gamp, "gamp does not serve student direct", "lbfgs, adam, fista");
  problem.student = Student::bayes;
  problem.lambda_rule = model::LambdaRule::none;
  expect_rejected(problem, Trainer::lbfgs, "lbfgs does not serve student bayes", "accepted: gamp");
}

TEST(Rejects, WhatAnExperimentCannotDo) {
  model::Problem problem;
  problem.lambda_rule = model::LambdaRule::ridgeless;
  expect_rejected(problem, Trainer::lbfgs, "lambda to be a number", "got 0+");
  problem.lambda_rule = model::LambdaRule::optimal;
  expect_rejected(problem, Trainer::lbfgs, "lambda to be a number", "got optimal");
  problem = problem_of(Student::bayes, Head::hardmax, 2, 1, 0.1, 0);
  problem.lambda_rule = model::LambdaRule::none;
  expect_rejected(problem, Trainer::gamp, "hardmax", "accepted: softmax and linear");
}

TEST(Trainers, ServeTheStudentsTheyAreListedFor) {
  model::Problem problem;
  EXPECT_EQ(trainers_for(problem).size(), 4U);
  problem.width = 0.3;
  EXPECT_EQ(trainers_for(problem), (std::vector{Trainer::lbfgs, Trainer::adam}));
  problem.width = 1;
  problem.student = Student::bayes;
  EXPECT_EQ(trainers_for(problem), (std::vector{Trainer::gamp}));
}

}  // namespace
}  // namespace attnlaw::experiment
