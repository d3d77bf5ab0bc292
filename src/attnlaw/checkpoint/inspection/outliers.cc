#include "attnlaw/checkpoint/inspection/outliers.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>

#include "attnlaw/base/index.h"
#include "attnlaw/matrix_laws/nulls/edge_tests.h"
#include "attnlaw/matrix_laws/nulls/factor_product.h"
#include "attnlaw/matrix_laws/nulls/spikes.h"
#include "attnlaw/matrix_laws/nulls/tracy_widom.h"

namespace attnlaw::checkpoint {
namespace {

namespace laws = attnlaw::matrix_laws;

constexpr double kLevel = 0.01;            ///< of the sequence of tests, and of the shape of the rest
constexpr int kLargestPart = 4;            ///< more than one of so many singular values are too many
constexpr double kDistinguishable = 0.05;  ///< closer values share their directions
constexpr std::size_t kFewestValues = 4;
/// Two standard errors of ρ² at 64 × 768 by simulation (docs/theory/query_key_nulls.md, section 3).
constexpr double kAlignmentNoise = 0.15;
/// Tables of what is left after deflation only decide at one per cent.
constexpr int kDeflatedDraws = 2000;

/// What is left of a head without its k largest singular values.
struct Rest {
  int m = 0, d = 0;
  std::span<const double> squares;
  double sum = 0;

  double mean() const { return sum / m; }
};

Rest rest_of(const std::vector<double>& squares, int d, int k) {
  const std::span<const double> left = std::span(squares).subspan(base::size(k));
  return {static_cast<int>(left.size()), d - k, left, std::accumulate(left.begin(), left.end(), 0.0)};
}

/// The sequence of tests of one head.
class Deflation {
 public:
  Deflation(const NullOptions& options, NullTables& tables, int k)
      : options_(options), tables_(tables), draws_(k == 0 ? options.table_draws : kDeflatedDraws) {}

  /// The p-value of the largest value of the rest, if it stands out.
  std::optional<double> outlier(const Rest& rest) const {
    static const double kScore = laws::tracy_widom_quantile(1 - kLevel);
    const LeadingTest leading =
        tables_.leading(rest.m, rest.d, {0, rest.squares.front() / rest.sum, 0}, options_, draws_);
    const bool stands_out = takes_table(rest.m, rest.d, options_) ? leading.p <= kLevel : leading.score >= kScore;
    return stands_out ? std::optional(leading.p) : std::nullopt;
  }
  bool fits(const Rest& rest) const {
    const double distance = laws::shape_distance(rest.squares, static_cast<double>(rest.m) / rest.d);
    return takes_table(rest.m, rest.d, options_)
               ? tables_.at(rest.m, rest.d, draws_).p_values({0, 0, distance}).shape > kLevel
               : distance <= laws::shape_distance_bound(rest.m);
  }

 private:
  const NullOptions& options_;
  NullTables& tables_;
  int draws_;
};

/// a of the spike behind the largest eigenvalue of a Gram matrix; the others give the variance of the entries.
double strength_of(const Eigen::VectorXd& eigenvalues, double beta) {
  const Eigen::Index others = eigenvalues.size() - 1;
  return laws::factor_spike_strength(beta, eigenvalues[others] / eigenvalues.head(others).mean());
}

/// An estimate of ρ² as a squared cosine, or nothing where it cannot be one.
double squared_cosine(double estimate) {
  const double cosine = std::clamp(estimate, 0.0, 1.0);
  return std::abs(estimate - cosine) <= kAlignmentNoise ? cosine : kAbsent;
}

/// Joins neighbours that cannot be told apart.
std::vector<Outlier> blocks_of(const std::vector<double>& squares, int count, double scale, double beta,
                               const std::vector<double>& p_values) {
  std::vector<Outlier> blocks;
  for (int k = 0; k < count; ++k) {
    const double s = std::sqrt(squares[base::size(k)]);
    const double before = k == 0 ? 0 : std::sqrt(squares[base::size(k - 1)]);
    if (k > 0 && before - s < kDistinguishable * before) {
      Outlier& block = blocks.back();
      block.singular_value = (block.singular_value * block.size + s) / (block.size + 1);
      ++block.size;
    } else {
      blocks.push_back({.first = k + 1, .singular_value = s, .p = p_values[base::size(k)]});
    }
  }
  for (Outlier& block : blocks) {
    block.position = block.singular_value / scale;
    block.strength = laws::spike_strength(beta, block.position);
    block.overlap = std::isnan(block.strength) ? 0 : laws::spike_overlap(beta, block.strength);
  }
  return blocks;
}

}  // namespace

std::span<const base::Named<OutlierStatus>> names_table(OutlierStatus) {
  static constexpr base::Named<OutlierStatus> kStatus[] = {{OutlierStatus::counted, "counted"},
                                                           {OutlierStatus::too_many, "too-many"},
                                                           {OutlierStatus::bulk_rejected, "bulk-rejected"},
                                                           {OutlierStatus::too_few_values, "too-few-values"},
                                                           {OutlierStatus::no_law, "no-law"}};
  return kStatus;
}

Outliers find_outliers(const FactoredMap& map, const FactorSpectra& spectra, const NullOptions& options,
                       NullTables& tables) {
  Outliers found;
  if (map.query_dimension != map.key_dimension || map.m() > map.query_dimension) return found;
  if (map.singular_values.size() < kFewestValues) return found.status = OutlierStatus::too_few_values, found;
  const int m = static_cast<int>(map.m()), d = static_cast<int>(map.query_dimension);
  const double beta = static_cast<double>(m) / d;
  std::vector<double> squares = map.singular_values;
  for (double& s : squares) s *= s;
  std::vector<double> p_values;
  int k = 0;
  for (; kLargestPart * k <= m; ++k) {
    const auto p = Deflation(options, tables, k).outlier(rest_of(squares, d, k));
    if (!p) break;
    p_values.push_back(*p);
  }
  found.count = k;
  if (kLargestPart * k > m) return found.status = OutlierStatus::too_many, found;
  const Rest rest = rest_of(squares, d, k);
  const double scale = std::sqrt(rest.mean());
  found.edge = scale * std::sqrt(laws::FactorProductLaw(beta).support().upper);
  if (!Deflation(options, tables, k).fits(rest)) return found.status = OutlierStatus::bulk_rejected, found;
  found.status = OutlierStatus::counted;
  found.outliers = blocks_of(squares, k, scale, beta, p_values);
  found.query_strength = strength_of(spectra.query, beta);
  found.key_strength = strength_of(spectra.key, beta);
  if (k > 0)
    found.alignment = squared_cosine(
        laws::spike_alignment(beta, found.query_strength, found.key_strength, std::sqrt(squares.front()) / scale));
  if (!std::isnan(found.alignment)) {
    const auto spikes =
        laws::spike_outliers(beta, {found.query_strength, found.key_strength, std::sqrt(found.alignment)});
    if (!spikes.empty()) {
      found.query_overlap = spikes.front().query_overlap;
      found.key_overlap = spikes.front().key_overlap;
    }
  }
  return found;
}

}  // namespace attnlaw::checkpoint
