#include "attnlaw/matrix_laws/nulls/bartlett_table.h"

#include <algorithm>
#include <numeric>

#include "attnlaw/base/index.h"
#include "attnlaw/base/linear_algebra.h"
#include "attnlaw/base/parallel.h"
#include "attnlaw/base/reject.h"
#include "attnlaw/base/streams.h"
#include "attnlaw/matrix_laws/kolmogorov.h"
#include "attnlaw/matrix_laws/nulls/factor_product.h"
#include "attnlaw/matrix_laws/nulls/random_matrices.h"

namespace attnlaw::matrix_laws {
namespace {

double p_value_in(const std::vector<double>& ascending, double value) {
  const auto reached = ascending.end() - std::lower_bound(ascending.begin(), ascending.end(), value);
  return monte_carlo_p_value(base::size(reached), ascending.size());
}

double quantile_in(const std::vector<double>& ascending, double q) {
  const double place = q * static_cast<double>(ascending.size() - 1);
  return ascending[static_cast<std::size_t>(place + 0.5)];
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
  Draws draws(seed, base::stream_id(base::Stream::bartlett_factors, static_cast<std::uint64_t>(m), draw));
  const Eigen::MatrixXd query = bartlett_factor(m, d, draws), key = bartlett_factor(m, d, draws);
  const Eigen::MatrixXd core = query.transpose() * key;
  Eigen::MatrixXd gram = core * core.transpose();
  std::vector<double> squares = base::symmetric_eigenvalues({gram.data(), base::size(gram.size())}, base::size(m));
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

HeadStatistics BartlettTable::quantile(double q) const {
  return {quantile_in(largest_, q), quantile_in(share_, q), quantile_in(shape_, q)};
}

}  // namespace attnlaw::matrix_laws
