#pragma once
/// Starts of a search for proximal points of softmax rows: one row at a time gives in to its label (docs/theory/erm.md,
/// section 2).

#include <algorithm>
#include <array>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <numeric>

#include "attnlaw/theory/channel/row_losses.h"

namespace attnlaw::theory {

/// The scores x_b of one row with their variances: the spring holds a score of larger variance less. T = 0: known at
/// run time.
template <int T>
struct RowScores {
  explicit RowScores(int tokens) : x(tokens), variance(tokens) {}
  PackArray<T> x, variance;
};

/// A loss that is made of rows of scores.
template <class Loss>
concept RowsOfScores = requires(const Loss& loss, const typename Loss::Label& label, int a, const Pack* zeta,
                                const decltype(loss.scores(0, zeta))& scores, Pack* moved) {
  { loss.rows() } -> std::same_as<int>;
  { loss.keys() } -> std::same_as<int>;
  { loss.label_of(label, a) } -> std::same_as<const Pack*>;
  loss.scores(a, zeta);               // RowScores of row a
  loss.set_scores(a, scores, moved);  // moves ζ by as little as it takes to have these
};

/// By so much a score exceeds the others of its row where the output is nearly saturated.
inline constexpr double kLeads = 2;

/// Moves the scores of a row, up to a common shift, to where the output is the label, by as little as that takes. Small
/// entries of the label are taken to be e^(−kLeads) of the largest.
template <int T>
void follow_label(const Pack* y, RowScores<T>& row) {
  const std::size_t keys = row.x.size();
  const Pack least =
      std::exp(-kLeads) * std::accumulate(y, y + keys, Pack(0), [](Pack a, Pack b) { return max(a, b); });
  Pack shift = 0, total = 0;
  for (std::size_t b = 0; b < keys; ++b) {
    shift += (log(max(y[b], least)) - row.x[b]) / row.variance[b];
    total += 1 / row.variance[b];
  }
  shift = shift / total;
  for (std::size_t b = 0; b < keys; ++b) row.x[b] = log(max(y[b], least)) - shift;
}

/// Moves the scores of a row, pair by pair, to where score b leads.
template <int T>
void prefer(std::size_t b, RowScores<T>& row) {
  constexpr int kSweeps = 2;  // a score that the first one has overtaken is met by the second
  for (int sweep = 0; sweep < kSweeps; ++sweep)
    for (std::size_t c = 0; c < row.x.size(); ++c) {
      if (c == b) continue;
      const Pack lacks = max(Pack(0), row.x[c] + kLeads - row.x[b]) / (row.variance[b] + row.variance[c]);
      row.x[b] += lacks * row.variance[b];
      row.x[c] -= lacks * row.variance[c];
    }
}

/// Whether some row of the label is so nearly one key alone that fields beyond it lie on flat ground.
template <class Loss>
bool saturated(const Loss& loss, const typename Loss::Label& label) {
  constexpr double kNearlyOne = 0.97;
  Pack largest = 0;
  for (int a = 0; a < loss.rows(); ++a) {
    const Pack* y = loss.label_of(label, a);
    for (int b = 0; b < loss.keys(); ++b) largest = max(largest, y[b]);
  }
  return (largest > Pack(kNearlyOne)).any();
}

/// Makes ζ the fit, or where that lies on flat ground what is left of it closer to 0; outputs change over `length`.
inline void start_at_foothold(const Pack* fit, int dimension, double length, Pack* zeta) {
  Pack largest = kFoothold * length;
  for (int k = 0; k < dimension; ++k) largest = max(largest, abs(fit[k]));
  const Pack scale = kFoothold * length / largest;
  for (int k = 0; k < dimension; ++k) zeta[k] = scale * fit[k];
}

/// Shares of the way from the field to its fit where searches start: some rows may be fitted from there, others not.
inline constexpr std::array kPartWays{0.5, 0.3};
/// So many starts are tried whatever their springs cost: at the fit, and on the way there.
inline constexpr int kStartsAlongFit = 1 + static_cast<int>(kPartWays.size());

/// How many starts a label may need: those along its fit, those where one row of the field follows its label, and those
/// where one row of the best minimum prefers one key. Where outputs are not saturated the first `enough` of these
/// serve.
template <RowsOfScores Loss>
int starts_of_rows(const Loss& loss, const typename Loss::Label& label, int enough) {
  return kStartsAlongFit + (saturated(loss, label) ? loss.rows() * (1 + loss.keys()) : enough);
}

/// The i-th of these starts.
template <RowsOfScores Loss>
void start_of_rows(const Loss& loss, int i, const SearchFrom<typename Loss::Label>& from, Pack* zeta) {
  if (i == 0) return start_at_foothold(from.fit, loss.dimension(), loss.reach(), zeta);
  if (i < kStartsAlongFit) {
    const double share = kPartWays[static_cast<std::size_t>(i - 1)];
    for (int k = 0; k < loss.dimension(); ++k) zeta[k] = from.omega[k] + share * (from.fit[k] - from.omega[k]);
    return;
  }
  const int flip = i - kStartsAlongFit - loss.rows();
  const int row = flip < 0 ? i - kStartsAlongFit : flip / loss.keys();
  const Pack* origin = flip < 0 ? from.omega : from.best;
  std::copy(origin, origin + loss.dimension(), zeta);
  auto scores = loss.scores(row, zeta);
  if (flip < 0)
    follow_label(loss.label_of(from.label, row), scores);
  else
    prefer(static_cast<std::size_t>(flip % loss.keys()), scores);
  loss.set_scores(row, scores, zeta);
}

}  // namespace attnlaw::theory
