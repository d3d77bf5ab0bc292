#include "attnlaw/experiment/train/training_figures.h"

#include "attnlaw/experiment/data/losses.h"
#include "attnlaw/experiment/data/outputs.h"
#include "attnlaw/experiment/data/sharding.h"

namespace attnlaw::experiment {

using base::Columns;
using base::Matrix;

template <class Real>
TrainingFigures training_figures(Objective<Real>& objective, const Matrix<double>& S) {
  const model::Problem& problem = objective.problem();
  const Data<Real>& data = objective.pass().data();
  const bool soft = problem.labels == model::Labels::soft && !problem.custom_loss;
  const auto pointwise = [&](Eigen::Index first, Columns<Real>& scores, Columns<Real>& outputs) {
    const auto labels = data.labels.middleRows(first, scores.rows());
    const bool sequences = data.products.size() > 0;
    const double value =
        sequences
            ? sequence_loss<Real>(problem, labels, data.products.middleRows(first, scores.rows()), scores, outputs)
            : loss<Real>(problem, labels, scores, outputs);
    return typename DataPass<Real>::Sums{value, soft ? squared_distance<Real>(problem, labels, outputs) : 0};
  };
  const auto [loss_sum, squared] = objective.pass().at_matrix(S, pointwise, nullptr);
  double entropy = soft && problem.loss == model::Loss::cross_entropy ? experiment::entropy(data.labels) : 0;
  sum_over_processes(data.communicator, S, std::span(&entropy, 1), nullptr);
  const auto n = static_cast<double>(sequence_count(problem, static_cast<int>(S.rows())));
  return {loss_sum / n, entropy / n, squared / n};
}

template TrainingFigures training_figures(Objective<float>&, const Matrix<double>&);
template TrainingFigures training_figures(Objective<double>&, const Matrix<double>&);

}  // namespace attnlaw::experiment
