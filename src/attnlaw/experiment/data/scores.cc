#include "attnlaw/experiment/data/scores.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace attnlaw::experiment {
namespace {

using base::Columns;
using Eigen::Index;

/// An inner product is split into so many partial sums: enough to hide the latency of fused multiply-adds on two vector
/// units.
constexpr Index kLanes = 32;

/// Returns ⟨x, y⟩, summed in a fixed order that the compiler can vectorise.
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

/// Mixes the rows of one sequence, `width` columns from column j on, by the row-major outs×ins `matrix`. It works from
/// a copy, so that out may be in.
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

/// Sets out_i = Σ_j coefficients(μ, index(i, j)) in_j for every sequence μ.
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
Partition<Real> softmax_row(const ScoreLayout& layout, int a, double beta, const Columns<Real>& scores,
                            Columns<Real>& outputs) {
  const int keys = layout.columns;
  // The largest score is subtracted against overflow.
  Partition<Real> partition{scores.col(layout.index(a, 0)), {}};
  auto& [largest, sum] = partition;
  for (int b = 1; b < keys; ++b) largest = largest.max(scores.col(layout.index(a, b)));
  sum.setZero(scores.rows());
  for (int b = 0; b < keys; ++b) {
    auto out = outputs.col(a * keys + b);
    out = ((scores.col(layout.index(a, b)) - largest) * static_cast<Real>(beta)).exp();
    sum += out;
  }
  for (int b = 0; b < keys; ++b) outputs.col(a * keys + b) /= sum;
  return partition;
}

template <class Real>
void softmax_rows(const ScoreLayout& layout, double beta, const Columns<Real>& scores, Columns<Real>& outputs) {
  for (int a = 0; a < layout.rows; ++a) softmax_row(layout, a, beta, scores, outputs);
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

#define ATTNLAW_INSTANTIATE(Real)                                                                                 \
  template void pair_scores(const ScoreLayout&, Index, const Real*, const Real*, double, double, Columns<Real>&); \
  template void softmax_rows(const ScoreLayout&, double, const Columns<Real>&, Columns<Real>&);                   \
  template Partition<Real> softmax_row(const ScoreLayout&, int, double, const Columns<Real>&, Columns<Real>&);    \
  template void mix_keys(const ScoreLayout&, Index, const Columns<Real>&, const Real*, Real*);                    \
  template void mix_queries(const ScoreLayout&, Index, const Columns<Real>&, const Real*, Real*);
ATTNLAW_INSTANTIATE(float)
ATTNLAW_INSTANTIATE(double)
#undef ATTNLAW_INSTANTIATE

}  // namespace attnlaw::experiment
