#include "attnlaw/experiment/data/scores.h"

#include <algorithm>
#include <cmath>
#include <type_traits>
#include <vector>

namespace attnlaw::experiment {
namespace {

using base::Columns;
using Eigen::Index;

/// The number of entries that are worked on together, as one operation on a vector.
template <int n>
using Run = std::integral_constant<int, n>;

/// Views the entries of one run.
template <class Real, int n>
auto run(const Real* x, Run<n> /*length*/) {
  return Eigen::Map<const Eigen::Array<Real, n, 1>>(x);
}

/// Calls visit(i, n) for runs of n entries from i on that cover `length` entries: runs of 16, and at the end of 8, 4
/// and 1.
template <class Visit>
void for_runs(Index length, const Visit& visit) {
  Index i = 0;
  const auto runs_of = [&](auto n) {
    for (; i + n <= length; i += n) visit(i, n);
  };
  runs_of(Run<16>());
  runs_of(Run<8>());
  runs_of(Run<4>());
  runs_of(Run<1>());
}

/// Returns Σ_i terms, where term(i, n) has the n of them from i on. They are summed in a fixed order, by lanes of a
/// vector that is folded in the end.
template <class Real, class Term>
double sum_by_lanes(Index length, const Term& term) {
  Index i = 0;
  Eigen::Array<Real, 16, 1> of_16 = Eigen::Array<Real, 16, 1>::Zero();
  for (; i + 16 <= length; i += 16) of_16 += term(i, Run<16>());
  Eigen::Array<Real, 8, 1> of_8 = of_16.template head<8>() + of_16.template tail<8>();
  if (i + 8 <= length) of_8 += term(i, Run<8>()), i += 8;
  Eigen::Array<Real, 4, 1> of_4 = of_8.template head<4>() + of_8.template tail<4>();
  if (i + 4 <= length) of_4 += term(i, Run<4>()), i += 4;
  double rest = 0;
  for (; i < length; ++i) rest += static_cast<double>(term(i, Run<1>())[0]);
  return (static_cast<double>(of_4[0]) + static_cast<double>(of_4[1])) +
         (static_cast<double>(of_4[2]) + static_cast<double>(of_4[3])) + rest;
}

/// Sets out_i = Σ_j coefficients(μ, index(i, j)) in_j for every sequence μ.
template <class Real, class Position>
void mix(int outs, int ins, Position index, Index length, const Columns<Real>& coefficients, const Real* in,
         Real* out) {
  std::vector<Real> row(static_cast<std::size_t>(ins));
  for (Index mu = 0; mu < coefficients.rows(); ++mu, in += ins * length) {
    for (int i = 0; i < outs; ++i, out += length) {
      for (int j = 0; j < ins; ++j) row[static_cast<std::size_t>(j)] = coefficients(mu, index(i, j));
      for_runs(length, [&](Index l, auto n) {
        Eigen::Array<Real, n, 1> sum = row[0] * run(in + l, n);
        for (int j = 1; j < ins; ++j) sum += row[static_cast<std::size_t>(j)] * run(in + j * length + l, n);
        Eigen::Map<Eigen::Array<Real, n, 1>>(out + l) = sum;
      });
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
      const Real *left_a = queries + a * length, *right_b = keys + b * length;
      const double product = sum_by_lanes<Real>(length, [&]<int n>(Index i, Run<n> size) {
        return Eigen::Array<Real, n, 1>(run(left_a + i, size) * run(right_b + i, size));
      });
      scores(mu, k) = static_cast<Real>(scale * product - (layout.self && a == b ? shift : 0.0));
    });
  }
}

template <class Real>
void symmetric_scores(const ScoreLayout& layout, Index length, const Real* halves, const Real* rows, double scale,
                      double shift, Columns<Real>& scores) {
  const Index sequence = layout.rows * length;
  for (Index mu = 0; mu < scores.rows(); ++mu, halves += sequence, rows += sequence) {
    layout.for_each([&](int a, int b, int k) {
      const Real *half_a = halves + a * length, *half_b = halves + b * length;
      const Real *row_a = rows + a * length, *row_b = rows + b * length;
      const double product = sum_by_lanes<Real>(length, [&]<int n>(Index i, Run<n> size) {
        return Eigen::Array<Real, n, 1>(run(half_a + i, size) * run(row_b + i, size) +
                                        run(half_b + i, size) * run(row_a + i, size));
      });
      scores(mu, k) = static_cast<Real>(scale * product - (a == b ? shift : 0.0));
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

#define ATTNLAW_INSTANTIATE(Real)                                                                                      \
  template void pair_scores(const ScoreLayout&, Index, const Real*, const Real*, double, double, Columns<Real>&);      \
  template void symmetric_scores(const ScoreLayout&, Index, const Real*, const Real*, double, double, Columns<Real>&); \
  template void softmax_rows(const ScoreLayout&, double, const Columns<Real>&, Columns<Real>&);                        \
  template Partition<Real> softmax_row(const ScoreLayout&, int, double, const Columns<Real>&, Columns<Real>&);         \
  template void mix_keys(const ScoreLayout&, Index, const Columns<Real>&, const Real*, Real*);                         \
  template void mix_queries(const ScoreLayout&, Index, const Columns<Real>&, const Real*, Real*);
ATTNLAW_INSTANTIATE(float)
ATTNLAW_INSTANTIATE(double)
#undef ATTNLAW_INSTANTIATE

}  // namespace attnlaw::experiment
