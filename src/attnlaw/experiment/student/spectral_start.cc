#include "attnlaw/experiment/student/spectral_start.h"

#include <algorithm>
#include <cmath>

#include "attnlaw/experiment/data/observed_scores.h"
#include "attnlaw/model/spectral_start.h"

namespace attnlaw::experiment {
namespace {

using base::Columns;
using base::eigensystem;
using base::Eigensystem;
using base::Matrix;

/// The least eigenvalue in directions in which a start vanishes, relative to the root mean square of its eigenvalues.
constexpr double kSmallWeight = 1e-3;

/// Returns Q* + Δ in units of the student: the variance of the scores that labels show.
double label_variance(const model::Problem& problem) {
  const double units = problem.beta_ratio();
  return units * units * (problem.target.Q_star() + problem.noise);
}

/// Returns a² in units of the student.
double start_variance(const model::Problem& problem) {
  const double units = problem.beta_ratio();
  return units * units * model::spectral_start_variance(problem, problem.target.Q_star());
}

/// Takes f(x) = slope·x for the eigenvalues that are among the `largest` ones and above `least`, 0 for the others.
MatrixEstimate linear_above(const Matrix<double>& R, double slope, Eigen::Index largest, double least) {
  const Eigensystem system = eigensystem(R);
  std::vector<double> values(system.values.size(), 0.0), slopes(values.size(), 0.0);
  for (std::size_t i = values.size() - static_cast<std::size_t>(largest); i < values.size(); ++i) {
    if (system.values[i] <= least) continue;
    values[i] = slope * system.values[i];
    slopes[i] = slope;
  }
  return function_of(system, values, slopes);
}

}  // namespace

void label_messages(const model::Problem& problem, const Columns<double>& labels, Columns<double>& g) {
  observed_scores(problem, labels, g);
  remove_hidden_shift(problem, g);
  g *= problem.beta_ratio() / label_variance(problem);
}

template <class Real>
Matrix<double> label_operator(Objective<Real>& objective) {
  const model::Problem& problem = objective.problem();
  const Eigen::Index d = objective.d();
  Matrix<double> R;
  objective.pass().at_matrix(
      Matrix<double>::Zero(d, d),
      [&](Eigen::Index first, Columns<Real>& scores, Columns<Real>&) {
        Columns<double> g;
        label_messages(problem, objective.pass().data().labels.middleRows(first, scores.rows()).template cast<double>(),
                       g);
        message_coefficients<Real>(problem, g, scores);
        return typename DataPass<Real>::Sums{};
      },
      &R);
  R *= label_variance(problem) / (problem.alpha * problem.observed_score_count() * static_cast<double>(d));
  return 0.5 * (R + R.transpose());
}

template <class Real>
MatrixEstimate spectral_start(Objective<Real>& objective) {
  const model::Problem& problem = objective.problem();
  const Matrix<double> R = label_operator(objective);
  const double variance = start_variance(problem);
  if (!problem.penalised()) return posterior_mean(problem, R, variance);
  const bool tied = problem.student == model::Student::tied;
  MatrixEstimate start =
      tied ? linear_above(R, 1, factor_columns(problem, R.rows()), 0)
           : linear_above(R, model::spectral_shrinkage(problem), R.rows(), -std::numeric_limits<double>::infinity());
  start.V *= variance;
  return start;
}

Matrix<double> factor_of(const Matrix<double>& S, Eigen::Index columns) {
  const Eigensystem system = eigensystem(S);
  const auto d = static_cast<double>(S.rows());
  const double least = kSmallWeight * S.norm() / std::sqrt(d), scale = std::sqrt(static_cast<double>(columns) * d);
  Matrix<double> W(S.rows(), columns);
  for (Eigen::Index k = 0; k < columns; ++k) {
    const Eigen::Index i = S.rows() - columns + k;
    const double eigenvalue = std::max(least, system.values[static_cast<std::size_t>(i)]);
    W.col(k) = std::sqrt(scale * eigenvalue) * system.vectors.row(i).transpose();
  }
  return W;
}

template Matrix<double> label_operator(Objective<float>&);
template Matrix<double> label_operator(Objective<double>&);
template MatrixEstimate spectral_start(Objective<float>&);
template MatrixEstimate spectral_start(Objective<double>&);

}  // namespace attnlaw::experiment
