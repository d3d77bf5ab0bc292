#include "attnlaw/experiment/data/losses.h"

#include "attnlaw/experiment/data/custom_scores.h"
#include "attnlaw/experiment/data/outputs.h"
#include "attnlaw/experiment/data/scores.h"

namespace attnlaw::experiment {
namespace {

using base::Columns;
using model::Head;
using model::Loss;
using model::Readout;

template <class Real>
using LabelColumns = Eigen::Ref<const Columns<Real>>;
template <class Real>
using Column = Eigen::Array<Real, Eigen::Dynamic, 1>;

/// Returns y_ab of softmax rows: soft labels hold it, sampled ones the position b of the one.
template <class Real>
Column<Real> row_label(const model::Problem& problem, const LabelColumns<Real>& labels, int a, int b) {
  if (problem.labels == model::Labels::soft) return labels.col(a * problem.keys() + b);
  return (labels.col(a) == static_cast<Real>(b)).template cast<Real>();
}

/// Returns Σ_a [log Σ_b exp(β h_ab) − Σ_b y_ab β h_ab], with the largest score of a row subtracted from all of them.
template <class Real>
double cross_entropy(const model::Problem& problem, const LabelColumns<Real>& labels, const Columns<Real>& scores,
                     Columns<Real>& outputs) {
  const ScoreLayout layout = student_layout(problem);
  const auto beta = static_cast<Real>(problem.beta);
  double total = 0;
  for (int a = 0; a < layout.rows; ++a) {
    const Partition<Real> partition = softmax_row(layout, a, problem.beta, scores, outputs);
    Column<Real> value = partition.sum.log();
    for (int b = 0; b < layout.columns; ++b)
      value -= row_label<Real>(problem, labels, a, b) * beta * (scores.col(layout.index(a, b)) - partition.largest);
    total += value.template cast<double>().sum();
  }
  return total;
}

/// Sets C_ab = ∂ℓ/∂h_ab = β (p_ab − y_ab), symmetrised over (a,b) and (b,a) if one score stands for both.
template <class Real>
void cross_entropy_coefficients(const model::Problem& problem, const LabelColumns<Real>& labels,
                                const Columns<Real>& outputs, Columns<Real>& coefficients) {
  const ScoreLayout layout = student_layout(problem);
  coefficients.setZero();
  for (int a = 0; a < layout.rows; ++a) {
    for (int b = 0; b < layout.columns; ++b) {
      const Real weight = static_cast<Real>(problem.beta / layout.multiplicity(a, b));
      coefficients.col(layout.index(a, b)) +=
          weight * (outputs.col(a * layout.columns + b) - row_label<Real>(problem, labels, a, b));
    }
  }
}

/// Sets C_ab = ∂ℓ/∂h_ab = 2β p_ab (r_ab − Σ_c p_ac r_ac) of a loss with ∂ℓ/∂p = 2r, symmetrised as above: r = p − y of
/// ℓ = ‖p − y‖².
template <class Real>
void softmax_coefficients(const model::Problem& problem, const Columns<Real>& residuals, const Columns<Real>& outputs,
                          Columns<Real>& coefficients) {
  const ScoreLayout layout = student_layout(problem);
  const int keys = layout.columns;
  coefficients.setZero();
  Column<Real> mean(outputs.rows());
  for (int a = 0; a < layout.rows; ++a) {
    mean.setZero();
    for (int k = a * keys; k < (a + 1) * keys; ++k) mean += outputs.col(k) * residuals.col(k);
    for (int b = 0; b < keys; ++b) {
      const int k = a * keys + b;
      const Real weight = static_cast<Real>(2 * problem.beta / layout.multiplicity(a, b));
      coefficients.col(layout.index(a, b)) += weight * outputs.col(k) * (residuals.col(k) - mean);
    }
  }
}

/// Returns Σ_c ⟨y_b, y_c⟩/d r_ac of residuals r, in their places.
template <class Real>
Columns<Real> weighed(const model::Problem& problem, const LabelColumns<Real>& products,
                      const Columns<Real>& residuals) {
  const int keys = problem.keys();
  const ScoreLayout of_keys = ScoreLayout::of_self(keys, true);
  Columns<Real> sums = Columns<Real>::Zero(residuals.rows(), residuals.cols());
  for (Eigen::Index row = 0; row < residuals.cols(); row += keys)
    for (int b = 0; b < keys; ++b)
      for (int c = 0; c < keys; ++c) sums.col(row + b) += products.col(of_keys.index(b, c)) * residuals.col(row + c);
  return sums;
}

/// Sets C_1b = ∂ℓ/∂h_1b = 2β p_11 r (δ_1b − p_1b) of ℓ = r², r = p_11 − y, symmetrised as above.
template <class Real>
void entry_coefficients(const model::Problem& problem, const LabelColumns<Real>& labels, const Columns<Real>& outputs,
                        Columns<Real>& coefficients) {
  const ScoreLayout layout = student_layout(problem);
  coefficients.setZero();
  const Column<Real> slope = outputs.col(0) * (outputs.col(0) - labels.col(0));
  for (int b = 0; b < layout.columns; ++b) {
    const Real weight = static_cast<Real>(2 * problem.beta / layout.multiplicity(0, b));
    coefficients.col(layout.index(0, b)) = weight * slope * (Real(b == 0 ? 1 : 0) - outputs.col(b));
  }
}

/// Returns Σ_μ log(1 + exp(−y β u)).
template <class Real>
double logistic_loss(const model::Problem& problem, const LabelColumns<Real>& labels, const Columns<Real>& outputs) {
  const Column<Real> x = -static_cast<Real>(problem.beta) * labels.col(0) * outputs.col(0);
  return (x.max(Real(0)) + (-x.abs()).exp().log1p()).template cast<double>().sum();
}

/// Returns dℓ/du, which is 2(u − y) or −y β/(1 + exp(y β u)).
template <class Real>
Column<Real> score_slope(const model::Problem& problem, const LabelColumns<Real>& labels,
                         const Columns<Real>& outputs) {
  if (problem.loss == Loss::square) return Real(2) * (outputs.col(0) - labels.col(0));
  const auto beta = static_cast<Real>(problem.beta);
  return -beta * labels.col(0) / (Real(1) + (beta * labels.col(0) * outputs.col(0)).exp());
}

/// Sets the coefficients of a loss of u = weight·h_ab alone.
template <class Real>
void score_coefficients(const model::Problem& problem, const LabelColumns<Real>& labels, const Columns<Real>& outputs,
                        Columns<Real>& coefficients) {
  const ScoreLayout layout = student_layout(problem);
  const ScoreReadout u = score_readout(problem);
  coefficients.setZero();
  coefficients.col(layout.index(u.a, u.b)) =
      static_cast<Real>(u.weight / layout.multiplicity(u.a, u.b)) * score_slope<Real>(problem, labels, outputs);
}

/// Computes the coefficients C_ab from outputs and labels.
template <class Real>
void coefficients_of(const model::Problem& problem, const LabelColumns<Real>& labels, const Columns<Real>& outputs,
                     Columns<Real>& coefficients) {
  if (problem.readout == Readout::score) return score_coefficients<Real>(problem, labels, outputs, coefficients);
  if (problem.readout == Readout::entry) return entry_coefficients<Real>(problem, labels, outputs, coefficients);
  if (problem.loss == Loss::cross_entropy)
    return cross_entropy_coefficients<Real>(problem, labels, outputs, coefficients);
  if (problem.head == Head::softmax)
    return softmax_coefficients<Real>(problem, outputs - labels, outputs, coefficients);
  coefficients = Real(2) * (outputs - labels);
}

}  // namespace

template <class Real>
double loss(const model::Problem& problem, const Eigen::Ref<const Columns<Real>>& labels, const Columns<Real>& scores,
            Columns<Real>& outputs) {
  if (problem.custom_loss) return custom_loss<Real>(problem, labels, scores);
  if (problem.loss == Loss::cross_entropy) return cross_entropy<Real>(problem, labels, scores, outputs);
  student_outputs(problem, scores, outputs);
  if (problem.loss == Loss::logistic) return logistic_loss<Real>(problem, labels, outputs);
  return squared_distance<Real>(problem, labels, outputs);
}

template <class Real>
double loss_and_coefficients(const model::Problem& problem, const Eigen::Ref<const Columns<Real>>& labels,
                             Columns<Real>& scores, Columns<Real>& outputs) {
  if (problem.custom_loss) return custom_loss_and_coefficients<Real>(problem, labels, scores);
  const double value = loss<Real>(problem, labels, scores, outputs);
  coefficients_of<Real>(problem, labels, outputs, scores);
  return value;
}

template <class Real>
Columns<Real> token_products(const model::Problem& problem, const Data<Real>& data) {
  const ScoreLayout of_keys = ScoreLayout::of_self(problem.keys(), true);
  const Eigen::Index d = data.X.cols();
  Columns<Real> products(data.labels.rows(), of_keys.count());
  pair_scores(of_keys, d, data.keys().data(), data.keys().data(), 1 / static_cast<double>(d), 0, products);
  return products;
}

template <class Real>
double sequence_loss(const model::Problem& problem, const Eigen::Ref<const Columns<Real>>& labels,
                     const Eigen::Ref<const Columns<Real>>& products, const Columns<Real>& scores,
                     Columns<Real>& outputs) {
  student_outputs(problem, scores, outputs);
  const Columns<Real> residuals = outputs - labels;
  return (residuals * weighed<Real>(problem, products, residuals)).template cast<double>().sum();
}

template <class Real>
double sequence_loss_and_coefficients(const model::Problem& problem, const Eigen::Ref<const Columns<Real>>& labels,
                                      const Eigen::Ref<const Columns<Real>>& products, Columns<Real>& scores,
                                      Columns<Real>& outputs) {
  student_outputs(problem, scores, outputs);
  const Columns<Real> residuals = outputs - labels, slopes = weighed<Real>(problem, products, residuals);
  softmax_coefficients<Real>(problem, slopes, outputs, scores);
  return (residuals * slopes).template cast<double>().sum();
}

template <class Real>
double squared_distance(const model::Problem& problem, const Eigen::Ref<const Columns<Real>>& labels,
                        const Columns<Real>& outputs) {
  if (problem.readout != Readout::rows) return (labels.col(0) - outputs.col(0)).square().template cast<double>().sum();
  // The outputs of a softmax are whole rows, never half of a symmetric matrix.
  ScoreLayout layout = student_layout(problem);
  if (problem.head == Head::softmax) layout.symmetric = false;
  double sum = 0;
  layout.for_each([&](int a, int b, int k) {
    sum += layout.multiplicity(a, b) * (labels.col(k) - outputs.col(k)).square().template cast<double>().sum();
  });
  return sum;
}

bool convex_loss(const model::Problem& problem) {
  if (problem.custom_loss) return problem.custom_loss->convex;
  return problem.loss != Loss::square || problem.head == Head::linear;
}

#define ATTNLAW_INSTANTIATE(Real)                                                                                      \
  template double loss(const model::Problem&, const Eigen::Ref<const Columns<Real>>&, const Columns<Real>&,            \
                       Columns<Real>&);                                                                                \
  template double loss_and_coefficients(const model::Problem&, const Eigen::Ref<const Columns<Real>>&, Columns<Real>&, \
                                        Columns<Real>&);                                                               \
  template Columns<Real> token_products(const model::Problem&, const Data<Real>&);                                     \
  template double sequence_loss(const model::Problem&, const Eigen::Ref<const Columns<Real>>&,                         \
                                const Eigen::Ref<const Columns<Real>>&, const Columns<Real>&, Columns<Real>&);         \
  template double sequence_loss_and_coefficients(const model::Problem&, const Eigen::Ref<const Columns<Real>>&,        \
                                                 const Eigen::Ref<const Columns<Real>>&, Columns<Real>&,               \
                                                 Columns<Real>&);                                                      \
  template double squared_distance(const model::Problem&, const Eigen::Ref<const Columns<Real>>&, const Columns<Real>&);
ATTNLAW_INSTANTIATE(float)
ATTNLAW_INSTANTIATE(double)
#undef ATTNLAW_INSTANTIATE

}  // namespace attnlaw::experiment
