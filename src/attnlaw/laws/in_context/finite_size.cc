#include "attnlaw/laws/in_context/finite_size.h"

#include <cmath>

#include "attnlaw/laws/in_context/roots.h"

namespace attnlaw::laws {
namespace {

using Eigen::Index;
using Matrix = base::Matrix<double>;
using Array = Eigen::ArrayXd;

/// Given w with |w|² = cd: E h = w, E hhᵀ = (d/l)(c+ρ) I + (1+1/l) wwᵀ, E ht = (c+ρ)(1+2/l) w, E t² = (c+ρ)²(1+2/l).
/// Moments of tasks enter by the means of wwᵀ, of c, of (c+ρ)² and of w, (c+ρ) w.
struct TaskMoments {
  Matrix square;         ///< E wwᵀ
  double norm = 0;       ///< E c
  double label4 = 0;     ///< E (c+ρ)²
  Eigen::VectorXd mean;  ///< E (c+ρ) w
};

ContextMoments moments(const TaskMoments& tasks, double length, double noise) {
  const Index d = tasks.square.rows();
  const double label = tasks.norm + noise, more = 1 + 2 / length;
  ContextMoments result{label, Matrix(d, d + 1), Matrix(d + 1, d + 1)};
  result.task << tasks.square, tasks.mean;
  result.second.topLeftCorner(d, d) = (1 + 1 / length) * tasks.square;
  result.second.diagonal().head(d).array() += static_cast<double>(d) / length * label;
  result.second.col(d).head(d) = more * tasks.mean;
  result.second.row(d).head(d) = more * tasks.mean.transpose();
  result.second(d, d) = more * tasks.label4;
  return result;
}

/// Ridge regression of strength ξ on u: what its fixed point and its errors are made of, in the eigenbasis of E uuᵀ.
struct Ridge {
  Array values;    ///< of E uuᵀ
  Matrix task;     ///< E w uᵀ in that basis
  Array strength;  ///< Σ over rows of its squares

  explicit Ridge(const ContextMoments& moments) {
    base::Eigensystem system = base::eigensystem(moments.second);
    values = Eigen::Map<const Array>(system.values.data(), static_cast<Index>(system.values.size()));
    task = moments.task * system.vectors.transpose();
    strength = task.colwise().squaredNorm().transpose().array();
    vectors = std::move(system.vectors);
  }

  Matrix vectors;  ///< as rows
};

/// Returns the root of 1 − (d/n) tr B(B+ξ)⁻¹ = λ/ξ.
double finite_ridge(const Array& values, double ratio, double lambda) {
  const auto equation = [&](double xi) -> Sloped {
    const Array inverse = (values + xi).inverse();
    return {1 - ratio * (values * inverse).sum() - lambda / xi,
            lambda / xi + ratio * xi * (values * inverse * inverse).sum()};
  };
  return effective_ridge(equation, lambda, lambda + ratio * values.sum());
}

}  // namespace

double ContextMoments::error(const Matrix& gamma) const {
  const double dimension = static_cast<double>(d());
  return label - 2 * base::inner(gamma, task) / dimension +
         base::inner(gamma, base::product(gamma, second)) / dimension;
}

ContextMoments moments_of_tasks(const Matrix& tasks, double length, double noise) {
  const double d = static_cast<double>(tasks.cols()), k = static_cast<double>(tasks.rows());
  const Eigen::VectorXd labels = (tasks.rowwise().squaredNorm() / d).array() + noise;
  return moments({base::product(tasks, tasks, base::Transpose::yes) / k, labels.mean() - noise,
                  labels.squaredNorm() / k, tasks.transpose() * labels / k},
                 length, noise);
}

ContextMoments moments_of_law(const std::vector<double>& covariance, bool sphere, double length, double noise) {
  const auto d = static_cast<Index>(covariance.size());
  const Eigen::Map<const Eigen::VectorXd> values(covariance.data(), d);
  const double dimension = static_cast<double>(d), norm = values.mean();
  const double scatter = sphere ? 0 : 2 * values.squaredNorm() / (dimension * dimension);  // Var |w|²/d
  return moments(
      {Matrix(values.asDiagonal()), norm, (norm + noise) * (norm + noise) + scatter, Eigen::VectorXd::Zero(d)}, length,
      noise);
}

InContextMeasured predict_finite_size(const FiniteInContext& model) {
  const double d = static_cast<double>(model.training.d()), ratio = d / model.sequences;
  const Ridge ridge(model.training);
  const double xi = finite_ridge(ridge.values, ratio, model.lambda);
  const Array inverse = (ridge.values + xi).inverse();
  // What is left of the label when u is known, and the bias of the penalty.
  const double residual = model.training.label - (ridge.strength / ridge.values).sum() / d;
  const double bias = xi * xi * (ridge.strength * inverse * inverse / ridge.values).sum() / d;
  const double kept = model.lambda / xi;
  const double free = kept + ratio * xi * (ridge.values * inverse * inverse).sum();
  InContextMeasured result;
  result.training_tasks = (residual + bias) / free;
  result.train = kept * kept * result.training_tasks;
  // Γ has this mean, and rows that scatter with covariance (e/n) d B(B+ξ)⁻² in this basis.
  const Matrix mean = (ridge.task * inverse.matrix().asDiagonal()) * ridge.vectors;
  const Array scatter = result.training_tasks * ratio * ridge.values * inverse * inverse;
  const Matrix test = ridge.vectors * model.test.second * ridge.vectors.transpose();
  result.new_tasks = model.test.error(mean) + (scatter * test.diagonal().array()).sum();
  const auto square = mean.leftCols(mean.rows());
  result.trace = square.trace() / d;
  const Array last = ridge.vectors.col(mean.rows()).array();
  result.squared_norm = square.squaredNorm() / d + (scatter * (1 - last * last)).sum();
  return result;
}

}  // namespace attnlaw::laws
