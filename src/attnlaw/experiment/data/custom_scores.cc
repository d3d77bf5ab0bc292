#include "attnlaw/experiment/data/custom_scores.h"

#include <utility>

#include "attnlaw/experiment/data/outputs.h"

namespace attnlaw::experiment {
namespace {

using base::Columns;
using model::Coordinates;
using model::CustomLabels;
using model::Derivatives;
using model::SampleBlock;

}  // namespace

model::ScoredLoss custom_loss_of_scores(const model::Problem& problem, const ScoreLayout& layout) {
  Eigen::MatrixXd A = Eigen::MatrixXd::Zero(model::score_rows(problem), layout.count());
  if (problem.custom_loss->coordinates == Coordinates::score) {
    const ScoreReadout u = score_readout(problem);
    A(0, layout.index(u.a, u.b)) = u.weight;
  } else {
    for (Eigen::Index i = 0; i < A.rows(); ++i) {
      const auto a = static_cast<int>(i / layout.columns), b = static_cast<int>(i % layout.columns);
      A(i, layout.index(a, b)) = 1;
    }
  }
  return {problem, std::move(A)};
}

int custom_drawn_rows(const model::Problem& problem) {
  return problem.custom_loss->labels == CustomLabels::sampled ? model::score_rows(problem) / problem.keys() : 0;
}

template <class Real>
void custom_outputs(const model::Problem& problem, const Columns<Real>& scores, Columns<Real>& outputs) {
  const model::ScoredLoss loss = custom_loss_of_scores(problem, target_layout(problem));
  outputs = loss.labels(loss.scores(scores.template cast<double>())).template cast<Real>();
}

template <class Real>
double custom_loss(const model::Problem& problem, const Eigen::Ref<const Columns<Real>>& labels,
                   const Columns<Real>& scores) {
  model::LossExpansion at;
  custom_loss_of_scores(problem, student_layout(problem))
      .expand(labels.template cast<double>(), scores.template cast<double>(), Derivatives::none, at);
  return at.value.sum();
}

template <class Real>
double custom_loss_and_coefficients(const model::Problem& problem, const Eigen::Ref<const Columns<Real>>& labels,
                                    Columns<Real>& scores) {
  const ScoreLayout layout = student_layout(problem);
  model::LossExpansion at;
  custom_loss_of_scores(problem, layout)
      .expand(labels.template cast<double>(), scores.template cast<double>(), Derivatives::gradient, at);
  layout.for_each([&](int a, int b, int k) {
    scores.col(k) = (at.gradient.col(k) / layout.multiplicity(a, b)).template cast<Real>();
  });
  return at.value.sum();
}

template <class Real>
double expected_custom_loss(const model::Problem& problem, const Columns<Real>& outputs, const Columns<Real>& scores) {
  const model::ScoredLoss loss = custom_loss_of_scores(problem, student_layout(problem));
  double sum = 0;
  for (int k = 0; k < loss.outcomes(); ++k) {
    SampleBlock labels = outputs.template cast<double>();
    const Eigen::ArrayXd probability = loss.outcome(k, labels);
    model::LossExpansion at;
    loss.expand(labels, scores.template cast<double>(), Derivatives::none, at);
    sum += (probability * at.value).sum();
  }
  return sum;
}

#define ATTNLAW_INSTANTIATE(Real)                                                                                   \
  template void custom_outputs(const model::Problem&, const Columns<Real>&, Columns<Real>&);                        \
  template double custom_loss(const model::Problem&, const Eigen::Ref<const Columns<Real>>&, const Columns<Real>&); \
  template double custom_loss_and_coefficients(const model::Problem&, const Eigen::Ref<const Columns<Real>>&,       \
                                               Columns<Real>&);                                                     \
  template double expected_custom_loss(const model::Problem&, const Columns<Real>&, const Columns<Real>&);
ATTNLAW_INSTANTIATE(float)
ATTNLAW_INSTANTIATE(double)
#undef ATTNLAW_INSTANTIATE

}  // namespace attnlaw::experiment
