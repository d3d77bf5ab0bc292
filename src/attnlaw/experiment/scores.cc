#include "attnlaw/experiment/scores.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace attnlaw::experiment {
namespace {

using Eigen::Index;

/// Partial sums of an inner product: enough to hide the latency of fused multiply-adds on two vector units.
constexpr Index kLanes = 32;

/// ⟨x, y⟩ with a fixed order of summation that the compiler can vectorise.
template <class Real>
double inner_product(const Real* x, const Real* y, Index d) {
  Real lane[kLanes] = {};
  Index i = 0;
  for (; i + kLanes <= d; i += kLanes) {
    for (Index l = 0; l < kLanes; ++l) lane[l] += x[i + l] * y[i + l];
  }
  for (Index l = 0; i + l < d; ++l) lane[l] += x[i + l] * y[i + l];
  for (Index half = kLanes / 2; half >= 4; half /= 2) {
    for (Index l = 0; l < half; ++l) lane[l] += lane[l + half];
  }
  return (static_cast<double>(lane[0]) + static_cast<double>(lane[1])) +
         (static_cast<double>(lane[2]) + static_cast<double>(lane[3]));
}

/// Softmax of row a of every sequence into its columns, shifted by the largest score against overflow.
template <class Real>
void softmax_row(const ScoreLayout& layout, int a, double beta, const Columns<Real>& scores, Columns<Real>& outputs) {
  using Column = Eigen::Array<Real, Eigen::Dynamic, 1>;
  const int keys = layout.columns;
  Column largest = scores.col(layout.index(a, 0));
  for (int b = 1; b < keys; ++b) largest = largest.max(scores.col(layout.index(a, b)));
  Column sum = Column::Zero(scores.rows());
  for (int b = 0; b < keys; ++b) {
    auto out = outputs.col(a * keys + b);
    out = ((scores.col(layout.index(a, b)) - largest) * static_cast<Real>(beta)).exp();
    sum += out;
  }
  for (int b = 0; b < keys; ++b) outputs.col(a * keys + b) /= sum;
}

/// Outputs of the head at inverse temperature beta, from scores in the given layout.
template <class Real>
void outputs_of(const model::Problem& problem, double beta, const ScoreLayout& layout, const Columns<Real>& scores,
                Columns<Real>& outputs) {
  if (problem.head == model::Head::softmax) return softmax_rows(layout, beta, scores, outputs);
  student_layout(problem).for_each([&](int a, int b, int k) { outputs.col(k) = scores.col(layout.index(a, b)); });
}

/// ∂ℓ/∂h_ab = 2β p_ab (r_ab − Σ_c p_ac r_ac) of ℓ = Σ r², r = p − y; symmetrised over (a,b) and (b,a) if one
/// score stands for both.
template <class Real>
void softmax_coefficients(const model::Problem& problem, const Eigen::Ref<const Columns<Real>>& labels,
                          const Columns<Real>& outputs, Columns<Real>& coefficients) {
  using Column = Eigen::Array<Real, Eigen::Dynamic, 1>;
  const ScoreLayout layout = student_layout(problem);
  const int keys = layout.columns;
  coefficients.setZero();
  Column mean(outputs.rows());
  for (int a = 0; a < layout.rows; ++a) {
    mean.setZero();
    for (int k = a * keys; k < (a + 1) * keys; ++k) mean += outputs.col(k) * (outputs.col(k) - labels.col(k));
    for (int b = 0; b < keys; ++b) {
      const int k = a * keys + b;
      const Real weight = static_cast<Real>(2 * problem.beta / layout.multiplicity(a, b));
      coefficients.col(layout.index(a, b)) += weight * outputs.col(k) * (outputs.col(k) - labels.col(k) - mean);
    }
  }
}

/// Mixes the rows of one sequence, `width` columns from column j on, by the row-major outs×ins `matrix`; through a
/// copy, so that out may be in.
template <class Real>
void mix_block(int outs, int ins, Index d, Index j, Index width, const Real* matrix, const Real* in, Real* out,
               Real* copy) {
  for (int b = 0; b < ins; ++b) std::copy_n(in + b * d + j, width, copy + b * width);
  for (int a = 0; a < outs; ++a) {
    Real* row = out + a * d + j;
    const Real* c = matrix + a * ins;
    for (Index l = 0; l < width; ++l) row[l] = c[0] * copy[l];
    for (int b = 1; b < ins; ++b) {
      const Real* source = copy + b * width;
      for (Index l = 0; l < width; ++l) row[l] += c[b] * source[l];
    }
  }
}

/// out_i = Σ_j coefficients(μ, index(i, j)) in_j for every sequence μ.
template <class Real, class Position>
void mix(int outs, int ins, Position index, Index length, const Columns<Real>& coefficients, const Real* in,
         Real* out) {
  // A block of rows of this many columns stays in the first-level cache.
  constexpr Index kWidth = 128;
  std::vector<Real> matrix(static_cast<std::size_t>(outs * ins)), copy(static_cast<std::size_t>(ins * kWidth));
  for (Index mu = 0; mu < coefficients.rows(); ++mu) {
    for (int i = 0; i < outs; ++i) {
      for (int j = 0; j < ins; ++j) matrix[static_cast<std::size_t>(i * ins + j)] = coefficients(mu, index(i, j));
    }
    for (Index j = 0; j < length; j += kWidth) {
      mix_block(outs, ins, length, j, std::min(kWidth, length - j), matrix.data(), in + mu * ins * length,
                out + mu * outs * length, copy.data());
    }
  }
}

}  // namespace

int ScoreLayout::index(int a, int b) const {
  if (!symmetric) return a * columns + b;
  const int low = std::min(a, b), high = std::max(a, b);
  return low * rows - low * (low - 1) / 2 + (high - low);
}

ScoreLayout student_layout(const model::Problem& problem) {
  if (problem.cross()) return ScoreLayout::of_cross(problem.tokens, problem.key_tokens);
  return ScoreLayout::of_self(problem.tokens, !problem.two_sectors());
}

ScoreLayout target_layout(const model::Problem& problem) {
  if (problem.cross()) return ScoreLayout::of_cross(problem.tokens, problem.key_tokens);
  return ScoreLayout::of_self(problem.tokens, true);
}

int output_count(const model::Problem& problem) {
  return problem.head == model::Head::softmax ? problem.tokens * problem.keys() : student_layout(problem).count();
}

template <class Real>
void pair_scores(const ScoreLayout& layout, Index length, const Real* left, const Real* right, double scale,
                 double shift, Columns<Real>& scores) {
  for (Index mu = 0; mu < scores.rows(); ++mu) {
    const Real *queries = left + mu * layout.rows * length, *keys = right + mu * layout.columns * length;
    layout.for_each([&](int a, int b, int k) {
      const double product = inner_product(queries + a * length, keys + b * length, length);
      scores(mu, k) = static_cast<Real>(scale * product - (layout.self && a == b ? shift : 0.0));
    });
  }
}

template <class Real>
void softmax_rows(const ScoreLayout& layout, double beta, const Columns<Real>& scores, Columns<Real>& outputs) {
  for (int a = 0; a < layout.rows; ++a) softmax_row(layout, a, beta, scores, outputs);
}

template <class Real>
void student_outputs(const model::Problem& problem, const Columns<Real>& scores, Columns<Real>& outputs) {
  outputs_of(problem, problem.beta, student_layout(problem), scores, outputs);
}

template <class Real>
void target_outputs(const model::Problem& problem, const Columns<Real>& scores, Columns<Real>& outputs) {
  outputs_of(problem, problem.target_beta, target_layout(problem), scores, outputs);
}

template <class Real>
double squared_distance(const model::Problem& problem, const Eigen::Ref<const Columns<Real>>& left,
                        const Columns<Real>& right) {
  // The rows of a softmax are all there.
  ScoreLayout layout = student_layout(problem);
  if (problem.head == model::Head::softmax) layout.symmetric = false;
  double sum = 0;
  layout.for_each([&](int a, int b, int k) {
    sum += layout.multiplicity(a, b) * (left.col(k) - right.col(k)).square().template cast<double>().sum();
  });
  return sum;
}

template <class Real>
double loss_and_coefficients(const model::Problem& problem, const Eigen::Ref<const Columns<Real>>& labels,
                             Columns<Real>& scores, Columns<Real>& outputs) {
  student_outputs(problem, scores, outputs);
  const double loss = squared_distance<Real>(problem, labels, outputs);
  if (problem.head == model::Head::softmax) {
    softmax_coefficients<Real>(problem, labels, outputs, scores);
  } else {
    scores = Real(2) * (outputs - labels);
  }
  return loss;
}

template <class Real>
void mix_keys(const ScoreLayout& layout, Index length, const Columns<Real>& coefficients, const Real* in, Real* out) {
  mix(
      layout.rows, layout.columns, [&](int a, int b) { return layout.index(a, b); }, length, coefficients, in, out);
}

template <class Real>
void mix_queries(const ScoreLayout& layout, Index length, const Columns<Real>& coefficients, const Real* in,
                 Real* out) {
  mix(
      layout.columns, layout.rows, [&](int b, int a) { return layout.index(a, b); }, length, coefficients, in, out);
}

#define ATTNLAW_INSTANTIATE(Real)                                                                                      \
  template void pair_scores(const ScoreLayout&, Index, const Real*, const Real*, double, double, Columns<Real>&);      \
  template void softmax_rows(const ScoreLayout&, double, const Columns<Real>&, Columns<Real>&);                        \
  template void student_outputs(const model::Problem&, const Columns<Real>&, Columns<Real>&);                          \
  template void target_outputs(const model::Problem&, const Columns<Real>&, Columns<Real>&);                           \
  template double loss_and_coefficients(const model::Problem&, const Eigen::Ref<const Columns<Real>>&, Columns<Real>&, \
                                        Columns<Real>&);                                                               \
  template double squared_distance(const model::Problem&, const Eigen::Ref<const Columns<Real>>&,                      \
                                   const Columns<Real>&);                                                              \
  template void mix_keys(const ScoreLayout&, Index, const Columns<Real>&, const Real*, Real*);                         \
  template void mix_queries(const ScoreLayout&, Index, const Columns<Real>&, const Real*, Real*);
ATTNLAW_INSTANTIATE(float)
ATTNLAW_INSTANTIATE(double)
#undef ATTNLAW_INSTANTIATE

}  // namespace attnlaw::experiment
