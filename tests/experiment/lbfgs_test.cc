/// L-BFGS: the coordinates that it works in, and how many passes through the data they save.
#include "attnlaw/experiment/train/lbfgs.h"

#include <gtest/gtest.h>

#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "attnlaw/experiment/student/factor_metric.h"
#include "attnlaw/experiment/student/penalty.h"
#include "experiment/samples.h"
#include "problems.h"

namespace attnlaw::experiment {
namespace {

using base::inner;
using base::Matrix;
using samples::gaussian;

constexpr Eigen::Index kRows = 12, kColumns = 7;
constexpr double kStiffness = 0.3;

struct Form {
  Matrix<double> vectors = base::eigensystem(gaussian(kRows, kRows, 1) * gaussian(kRows, kRows, 1).transpose()).vectors;
  /// Eigenvalues of slack of both signs, and as small as they come.
  Eigen::VectorXd values = Eigen::VectorXd::LinSpaced(kRows, -1, 3).array().cube();
  Matrix<double> factor = gaussian(kRows, kColumns, 2);
  Matrix<double> gram = factor.transpose() * factor;

  Matrix<double> slack(const Eigen::VectorXd& of) const { return vectors.transpose() * of.asDiagonal() * vectors; }
  FactorMetric metric() const { return FactorMetric(slack(values), gram, kStiffness); }
};

/// |Z|² is ⟨D, stiffness·D gram + |slack| D⟩ and the least curvature, 1e-2 of the largest of gram.
TEST(FactorMetric, MakesTheFormASumOfSquares) {
  const Form form;
  const Matrix<double> D = gaussian(kRows, kColumns, 3);
  const double least = 1e-2 * kStiffness * base::eigenvalues(form.gram).back();
  const double expected =
      inner(D, kStiffness * D * form.gram + form.slack(form.values.cwiseAbs()) * D) + least * D.squaredNorm();
  EXPECT_NEAR(form.metric().coordinates(D).squaredNorm(), expected, 1e-12 * expected);
}

TEST(FactorMetric, TakesStepsThereAndBack) {
  const FactorMetric metric = Form().metric();
  const Matrix<double> D = gaussian(kRows, kColumns, 3);
  EXPECT_LT((metric.step(metric.coordinates(D)) - D).norm(), 1e-12 * D.norm());
}

/// The slope along a step is the same in both coordinates.
TEST(FactorMetric, GradientsAreDualToSteps) {
  const FactorMetric metric = Form().metric();
  const Matrix<double> g = gaussian(kRows, kColumns, 4), Z = gaussian(kRows, kColumns, 5);
  EXPECT_NEAR(inner(metric.gradient(g), Z), inner(g, metric.step(Z)), 1e-12 * g.norm() * Z.norm());
}

/// How a training ended.
struct Ending {
  int passes = 0;
  double objective = 0, residual = 0;
};

/// Trains to a residual of 1e-6, with or without coordinates, and counts the passes through the data.
Ending trained(const model::Problem& problem, std::size_t d, bool with_metric) {
  const std::vector<double> target = problem.target.eigenvalues(d, 1, 0);
  const Data<double> data = draw_data<double>(problem, target, 1, 0);
  Objective<double> objective(problem, data, 1);
  const auto parameters = make_parameters(objective);
  Ending run;
  Minimisation minimisation;
  minimisation.objective = [&](const Matrix<double>& point, Matrix<double>& gradient) {
    ++run.passes;
    return run.objective = parameters->objective(point, gradient);
  };
  minimisation.ends = [&](const Matrix<double>& point, const Matrix<double>& gradient, int) {
    run.residual = parameters->residual_bound(point, gradient);
    return run.residual <= 1e-6;
  };
  if (with_metric) minimisation.metric = [&](const Matrix<double>& point) { return parameters->metric(point); };
  minimisation.max_iterations = 5000;
  minimisation.rounding = std::numeric_limits<double>::epsilon();
  minimisation.memory = lbfgs_memory(problem);
  minimise_lbfgs(minimisation, parameters->initial({}));
  return run;
}

/// Of several problems, with half of the passes or less.
TEST(Lbfgs, FindsTheSameMinimumInFewerPassesByItsMetric) {
  model::Problem softmax, linear, small_lambda, untied;
  linear.head = model::Head::linear;
  small_lambda.lambda = 0.01;
  untied.student = model::Student::untied;
  const model::Problem cross = attnlaw::samples::crossed(untied, 2, 3);
  for (model::Problem problem : {softmax, linear, small_lambda, untied, cross}) {
    SCOPED_TRACE(model::name(problem.student) + std::string(" lambda ") + std::to_string(problem.lambda));
    problem.alpha = 0.5;
    const Ending with = trained(problem, 40, true), without = trained(problem, 40, false);
    ASSERT_LE(with.residual, 1e-6);
    ASSERT_LE(without.residual, 1e-6);
    EXPECT_NEAR(with.objective, without.objective, 1e-10 * without.objective);
    EXPECT_LT(2 * with.passes, without.passes) << with.passes << " " << without.passes;
  }
}

/// Direct students have no factors: their objective is as round in S as it gets.
TEST(Lbfgs, HasNoMetricWithoutFactors) {
  model::Problem problem;
  problem.student = model::Student::direct;
  const std::vector<double> target = problem.target.eigenvalues(10, 1, 0);
  const Data<double> data = draw_data<double>(problem, target, 1, 0);
  Objective<double> objective(problem, data, 1);
  const auto parameters = make_parameters(objective);
  Matrix<double> point = parameters->initial({}), gradient;
  for (int i = 0; i < 2; ++i) {
    parameters->objective(point, gradient);
    EXPECT_FALSE(parameters->metric(point));
    point -= gradient;
  }
}

}  // namespace
}  // namespace attnlaw::experiment
