#include "attnlaw/experiment/data/observed_scores.h"

#include <cmath>
#include <limits>

#include "attnlaw/experiment/data/proximal_point.h"
#include "attnlaw/experiment/data/scores.h"

namespace attnlaw::experiment {
namespace {

using base::Columns;

/// (log y_ab)/β is h_ab up to a shift c_a of the row; h_ab = h_ba tells c_a − c_b.
void scores_of_softmax(const model::Problem& problem, const Columns<double>& labels, Columns<double>& z) {
  const int T = problem.tokens;
  const Columns<double> logs =
      labels.max(static_cast<double>(std::numeric_limits<float>::min())).log() / problem.target_beta;
  Columns<double> row_shift = Columns<double>::Zero(labels.rows(), T);
  for (int a = 0; a < T; ++a) {
    for (int b = 0; b < T; ++b) row_shift.col(a) += (logs.col(b * T + a) - logs.col(a * T + b)) / T;
  }
  target_layout(problem).for_each([&](int a, int b, int k) {
    z.col(k) = 0.5 * (logs.col(a * T + b) + row_shift.col(a) + logs.col(b * T + a) + row_shift.col(b));
  });
}

}  // namespace

void observed_scores(const model::Problem& problem, const Columns<double>& labels, Columns<double>& z) {
  const ScoreLayout layout = target_layout(problem), given = student_layout(problem);
  z.resize(labels.rows(), layout.count());
  if (problem.head == model::Head::softmax) {
    scores_of_softmax(problem, labels, z);
  } else {
    layout.for_each([&](int a, int b, int k) { z.col(k) = labels.col(given.index(a, b)); });
  }
  z.rowwise() /= score_norms(layout).transpose().array();
}

void remove_hidden_shift(const model::Problem& problem, Columns<double>& z) {
  if (problem.head != model::Head::softmax) return;
  Eigen::VectorXd shift = score_norms(target_layout(problem));
  target_layout(problem).for_each(
      [&](int a, int b, int k) { shift[k] = (a == b ? 1.0 : std::sqrt(2.0)) / problem.tokens; });
  z -= ((z.matrix() * shift) * shift.transpose()).array().eval();
}

template <class Real>
void message_coefficients(const model::Problem& problem, const Eigen::Ref<const Columns<double>>& g,
                          Columns<Real>& coefficients) {
  const ScoreLayout from = target_layout(problem);
  const Eigen::VectorXd norms = score_norms(from);
  student_layout(problem).for_each([&](int a, int b, int k) {
    const int i = from.index(a, b);
    coefficients.col(k) = (g.col(i) / (norms[i] * from.multiplicity(a, b))).template cast<Real>();
  });
}

template void message_coefficients(const model::Problem&, const Eigen::Ref<const Columns<double>>&, Columns<float>&);
template void message_coefficients(const model::Problem&, const Eigen::Ref<const Columns<double>>&, Columns<double>&);

}  // namespace attnlaw::experiment
