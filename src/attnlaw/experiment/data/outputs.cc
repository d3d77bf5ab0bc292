#include "attnlaw/experiment/data/outputs.h"

#include <cmath>
#include <limits>

#include "attnlaw/experiment/data/custom_scores.h"
#include "attnlaw/experiment/data/scores.h"

namespace attnlaw::experiment {
namespace {

using base::Columns;
using Eigen::Index;
using model::Head;
using model::Labels;
using model::Readout;

/// Computes outputs at inverse temperature beta from scores in the given layout.
template <class Real>
void outputs_of(const model::Problem& problem, double beta, const ScoreLayout& layout, const Columns<Real>& scores,
                Columns<Real>& outputs) {
  switch (problem.readout) {
    case Readout::entry:
      softmax_row(layout, 0, beta, scores, outputs);
      return;
    case Readout::score: {
      const ScoreReadout u = score_readout(problem);
      outputs.col(0) = static_cast<Real>(u.weight) * scores.col(layout.index(u.a, u.b));
      return;
    }
    case Readout::rows:
      break;
  }
  if (problem.head == Head::softmax) return softmax_rows(layout, beta, scores, outputs);
  student_layout(problem).for_each([&](int a, int b, int k) { outputs.col(k) = scores.col(layout.index(a, b)); });
}

/// Returns the first position of row a up to which the probabilities sum to more than `chance`.
template <class Real>
int drawn_position(const Columns<Real>& outputs, Index mu, int a, int keys, double chance) {
  double below = 0;
  for (int b = 0; b + 1 < keys; ++b) {
    below += outputs(mu, a * keys + b);
    if (chance < below) return b;
  }
  return keys - 1;
}

}  // namespace

int output_count(const model::Problem& problem) {
  if (problem.custom_loss) return model::custom_label_count(problem);
  switch (problem.readout) {
    case Readout::entry:
      return problem.keys();
    case Readout::score:
      return 1;
    case Readout::rows:
      break;
  }
  return problem.head == Head::softmax ? problem.tokens * problem.keys() : student_layout(problem).count();
}

int label_count(const model::Problem& problem) {
  if (problem.custom_loss) return model::custom_label_count(problem);
  if (problem.readout != Readout::rows) return 1;
  return problem.labels == Labels::sampled ? problem.tokens : output_count(problem);
}

ScoreReadout score_readout(const model::Problem& problem) {
  if (problem.cross()) return {0, 0, 1};
  return problem.tokens == 1 ? ScoreReadout{0, 0, std::sqrt(0.5)} : ScoreReadout{0, 1, 1};
}

template <class Real>
void student_outputs(const model::Problem& problem, const Columns<Real>& scores, Columns<Real>& outputs) {
  outputs_of(problem, problem.beta, student_layout(problem), scores, outputs);
}

template <class Real>
void target_outputs(const model::Problem& problem, const Columns<Real>& scores, Columns<Real>& outputs) {
  if (problem.custom_loss) return custom_outputs(problem, scores, outputs);
  outputs_of(problem, problem.target_beta, target_layout(problem), scores, outputs);
}

int drawn_rows(const model::Problem& problem) {
  if (problem.custom_loss) return custom_drawn_rows(problem);
  return problem.labels == Labels::sampled ? problem.tokens : 0;
}

namespace {

/// One-hot rows drawn with the probabilities in `outputs`.
template <class Real>
void draw_one_hot(const model::Problem& problem, const Columns<Real>& outputs, const Columns<double>& chances,
                  Columns<Real>& labels) {
  const int keys = problem.keys();
  labels.setZero();
  for (int a = 0; a < drawn_rows(problem); ++a)
    for (Index mu = 0; mu < outputs.rows(); ++mu)
      labels(mu, a * keys + drawn_position(outputs, mu, a, keys, chances(mu, a))) = 1;
}

}  // namespace

template <class Real>
void labels_of(const model::Problem& problem, const Columns<Real>& outputs, const Columns<double>& chances,
               Columns<Real>& labels) {
  if (problem.custom_loss && drawn_rows(problem) > 0) return draw_one_hot(problem, outputs, chances, labels);
  switch (problem.labels) {
    case Labels::soft:
      labels = outputs.leftCols(label_count(problem));
      return;
    case Labels::sampled:
      for (int a = 0; a < problem.tokens; ++a)
        for (Index mu = 0; mu < outputs.rows(); ++mu)
          labels(mu, a) = static_cast<Real>(drawn_position(outputs, mu, a, problem.keys(), chances(mu, a)));
      return;
    case Labels::sign:
      labels = (outputs >= Real(0)).select(Columns<Real>::Ones(outputs.rows(), 1), Real(-1));
  }
}

model::Problem undrawn(const model::Problem& problem) {
  model::Problem result = problem;
  if (problem.labels == Labels::sampled) result.labels = Labels::soft;
  return result;
}

template <class Real>
double entropy(const Columns<Real>& rows) {
  // Probabilities may underflow to 0, where p log p is 0.
  return -(rows * rows.max(std::numeric_limits<Real>::min()).log()).template cast<double>().sum();
}

#define ATTNLAW_INSTANTIATE(Real)                                                                               \
  template void student_outputs(const model::Problem&, const Columns<Real>&, Columns<Real>&);                   \
  template void target_outputs(const model::Problem&, const Columns<Real>&, Columns<Real>&);                    \
  template void labels_of(const model::Problem&, const Columns<Real>&, const Columns<double>&, Columns<Real>&); \
  template double entropy(const Columns<Real>&);
ATTNLAW_INSTANTIATE(float)
ATTNLAW_INSTANTIATE(double)
#undef ATTNLAW_INSTANTIATE

}  // namespace attnlaw::experiment
