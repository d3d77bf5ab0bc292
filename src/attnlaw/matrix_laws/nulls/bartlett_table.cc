#include "attnlaw/matrix_laws/nulls/bartlett_table.h"

#include <algorithm>
#include <limits>
#include <numeric>

#include "attnlaw/base/index.h"
#include "attnlaw/base/linear_algebra.h"
#include "attnlaw/base/parallel.h"
#include "attnlaw/base/reject.h"
#include "attnlaw/base/streams.h"
#include "attnlaw/matrix_laws/kolmogorov.h"
#include "attnlaw/matrix_laws/nulls/factor_product.h"
#include "attnlaw/matrix_laws/nulls/random_matrices.h"
#include "attnlaw/matrix_laws/nulls/small_eigenvalues.h"
#include "attnlaw/matrix_laws/nulls/tracy_widom.h"

namespace attnlaw::matrix_laws {
namespace {

double p_value_in(const std::vector<double>& ascending, double value) {
  const auto reached = ascending.end() - std::lower_bound(ascending.begin(), ascending.end(), value);
  return monte_carlo_p_value(base::size(reached), ascending.size());
}

/// Draws of m and d, where no other shape has the same: the stream takes d and the draw, the seed m.
Draws draws_of(int m, int d, std::uint64_t seed, std::uint64_t draw) {
  constexpr std::uint64_t kOddStep = 0x9e3779b97f4a7c15;  // 2^64 over the golden ratio: distinct seeds for distinct m
  return {seed + kOddStep * static_cast<std::uint64_t>(m),
          base::stream_id(base::Stream::bartlett_factors, static_cast<std::uint64_t>(d), draw)};
}

double quantile_in(const std::vector<double>& ascending, double q) {
  const double place = q * static_cast<double>(ascending.size() - 1);
  return ascending[static_cast<std::size_t>(place + 0.5)];
}

/// The line of a statistic through two upper quantiles.
double score_in(const std::vector<double>& ascending, double value) {
  constexpr double kLower = 0.9, kUpper = 0.995;
  static const double kFrom = tracy_widom_quantile(kLower), kTo = tracy_widom_quantile(kUpper);
  const double from = quantile_in(ascending, kLower), to = quantile_in(ascending, kUpper);
  return kFrom + (kTo - kFrom) * (value - from) / (to - from);
}

}  // namespace

double monte_carlo_p_value(std::size_t reached, std::size_t draws) {
  return static_cast<double>(1 + reached) / static_cast<double>(draws + 1);
}

double shape_distance(std::span<const double> squares, double beta) {
  const FactorProductLaw law(beta);
  const double mean = std::accumulate(squares.begin(), squares.end(), 0.0) / static_cast<double>(squares.size());
  std::vector<double> ascending(squares.rbegin(), squares.rend());
  for (double& y : ascending) y /= mean;
  return kolmogorov_distance(
      ascending, [&](double y) { return 1 - law.mass_above(y); }, 0);
}

HeadStatistics draw_null_head(int m, int d, std::uint64_t seed, std::uint64_t draw) {
  Draws draws = draws_of(m, d, seed, draw);
  const Eigen::MatrixXd query = bartlett_factor(m, d, draws), key = bartlett_factor(m, d, draws);
  const Eigen::MatrixXd core = query.transpose() * key;
  const Eigen::MatrixXd gram = core * core.transpose();
  std::vector<double> squares = eigenvalues_of_symmetric(gram);
  std::reverse(squares.begin(), squares.end());
  const double size = static_cast<double>(m) * d;
  const double scales = query.squaredNorm() / size * (key.squaredNorm() / size);
  return {squares.front() / scales, squares.front() / core.squaredNorm(), shape_distance(squares, double(m) / d)};
}

BartlettTable::BartlettTable(int m, int d, int draws, std::uint64_t seed, int threads,
                             const std::function<void(int, int)>& progress)
    : largest_(base::size(std::max(draws, 0))), share_(largest_.size()), shape_(largest_.size()) {
  if (m < 2 || m > d) base::reject("a table of null heads takes 2 <= m <= d, got m = {}, d = {}", m, d);
  if (draws < 1) base::reject("a table of null heads takes 1 draw or more, got {}", draws);
  base::use_one_blas_thread();
  base::parallel_for(
      largest_.size(), threads,
      [&](std::size_t i) {
        const HeadStatistics drawn = draw_null_head(m, d, seed, i);
        largest_[i] = drawn.largest;
        share_[i] = drawn.share;
        shape_[i] = drawn.shape;
      },
      progress);
  for (auto* statistic : {&largest_, &share_, &shape_}) std::sort(statistic->begin(), statistic->end());
}

HeadStatistics BartlettTable::p_values(const HeadStatistics& measured) const {
  return {p_value_in(largest_, measured.largest), p_value_in(share_, measured.share),
          p_value_in(shape_, measured.shape)};
}

HeadStatistics BartlettTable::scores(const HeadStatistics& measured) const {
  return {score_in(largest_, measured.largest), score_in(share_, measured.share),
          std::numeric_limits<double>::quiet_NaN()};
}

HeadStatistics BartlettTable::quantile(double q) const {
  return {quantile_in(largest_, q), quantile_in(share_, q), quantile_in(shape_, q)};
}

}  // namespace attnlaw::matrix_laws
