#pragma once
/// How exactly nulls are computed, and the tables that all heads of one shape share.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <tuple>
#include <vector>

#include "attnlaw/base/describe.h"
#include "attnlaw/matrix_laws/nulls/bartlett_table.h"
#include "attnlaw/matrix_laws/nulls/edge_tests.h"

namespace attnlaw::checkpoint {

struct NullOptions {
  bool exact_tables = false;  ///< tables and Monte Carlo in place of closed forms, and the tests that have none
  int table_draws = 20000;    ///< null heads of one table
  int draws = 999;            ///< rotations of one head
  double level = 0.05;        ///< of discoveries, after the correction for the number of heads
  /// Heads that the correction is for: `inspect` sets it. Rotations go on beyond `draws` as far as it needs.
  int family = 1;
  /// αK of training, samples over d² times the scores of a sample, if known: what the law of trained attention then
  /// says of the rest.
  std::optional<double> samples = {};

  /// The draws with which the smallest p-value passes the correction.
  std::size_t most_draws() const {
    return std::max(static_cast<std::size_t>(draws), static_cast<std::size_t>(std::ceil(family / level)));
  }
};
const base::Description& describe(const NullOptions*);

/// What the largest singular value of a head says against N1.
struct LeadingTest {
  double score = 0;      ///< s₁²/Σ s² on the scale of the Tracy-Widom law
  double p = 0;          ///< by the share
  double largest_p = 0;  ///< by T
};

/// Heads of so few rows take a table in any case: closed forms keep their level at 5 % there, but their p-values as a
/// whole are not uniform, and a table for all heads takes little more than a second.
inline constexpr int kTableRows = 24;

/// Whether the null of an m×d head is a table: asked for, for few rows, or because closed forms do not keep their level
/// there.
inline bool takes_table(int m, int d, const NullOptions& options) {
  return options.exact_tables || m <= kTableRows || !matrix_laws::edge_scores_hold(m, d);
}

/// Bartlett tables by (m, d, draws), drawn when they are first asked for. Safe to use from several threads.
///
/// Tests of the largest value need one with exact tables, and for heads of few rows in any case.
class NullTables {
 public:
  NullTables(std::uint64_t seed, int threads) : seed_(seed), threads_(threads) {}

  const matrix_laws::BartlettTable& at(int m, int d, int draws);
  /// Returns m, d and draws of the tables that were drawn.
  std::vector<std::tuple<int, int, int>> drawn() const;

  /// Tests T and the share of s₁² of an m×d head by a table of `draws` heads, or in closed form where that keeps its
  /// level and `options` do not ask for tables.
  LeadingTest leading(int m, int d, const matrix_laws::HeadStatistics& head, const NullOptions& options, int draws);

 private:
  std::uint64_t seed_;
  int threads_;
  mutable std::mutex mutex_;
  std::map<std::tuple<int, int, int>, std::unique_ptr<matrix_laws::BartlettTable>> tables_;
};

}  // namespace attnlaw::checkpoint
