#include "attnlaw/checkpoint/inspection/null_tests.h"

#include <Eigen/Cholesky>
#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "attnlaw/base/index.h"
#include "attnlaw/base/streams.h"
#include "attnlaw/checkpoint/inspection/measures.h"
#include "attnlaw/matrix_laws/nulls/edge_tests.h"
#include "attnlaw/matrix_laws/nulls/factor_product.h"
#include "attnlaw/matrix_laws/nulls/factor_rotation.h"
#include "attnlaw/matrix_laws/nulls/input_rotation.h"
#include "attnlaw/matrix_laws/nulls/random_matrices.h"
#include "attnlaw/matrix_laws/nulls/small_eigenvalues.h"

namespace attnlaw::checkpoint {
namespace {

using Eigen::MatrixXd;
using Eigen::MatrixXf;
using Eigen::VectorXd;
namespace laws = attnlaw::matrix_laws;

constexpr std::size_t kShuffles = 199;
/// So many singular values of such a head are turned by drawn matrices; the others together are nearly normal.
constexpr Eigen::Index kLeadingValues = 8;

int rows(const FactoredMap& map) { return static_cast<int>(map.m()); }
int columns(const FactoredMap& map) { return static_cast<int>(map.query_dimension); }

/// Whether a statistic is the same under all draws of its null but for rounding, so that it tests nothing.
bool constant(const laws::Cumulants& null) {
  constexpr double kRounding = 1e-12;  // of sums over all entries of a head, relative to their value
  return !(std::sqrt(null.variance) > kRounding * std::abs(null.mean));
}

double score_of(const laws::Cumulants& null, double value) { return (value - null.mean) / std::sqrt(null.variance); }

/// Whether s₁²/Σ s² of a map reaches a share. Entries have single precision, as files do.
bool share_reaches(const MatrixXf& query, const MatrixXf& key, double share) {
  const MatrixXd a = row_gram(query).cast<double>(), b = row_gram(key).cast<double>();
  // With G_Q = L Lᵀ the squares are the eigenvalues of Lᵀ G_K L.
  const Eigen::LLT<MatrixXd> root(a);
  if (root.info() != Eigen::Success) {
    const FactoredMap map = factored(query.cast<double>(), key.cast<double>(), false);
    return map.singular_values.front() * map.singular_values.front() >= share * map.energy();
  }
  const MatrixXd L = root.matrixL();
  const MatrixXd squares = L.transpose() * b * L;
  return laws::largest_eigenvalue_reaches(squares, share * squares.trace());
}

double shuffle_p(const MatrixXd& query, const MatrixXd& key, double share, const NullOptions& options,
                 const Draw& draw) {
  const bool heavy = kurtosis_of(query, key) > kHeavyTails;
  MatrixXf shuffled_query = query.cast<float>(), shuffled_key = key.cast<float>();
  laws::Exceedances counts{kShuffles, heavy ? std::max(kShuffles, options.most_draws()) : kShuffles};
  for (std::uint64_t stream = 0; counts.open();) {
    // The order that the last draw left is as good as any to begin with.
    for (MatrixXf* W : {&shuffled_query, &shuffled_key})
      laws::shuffle({W->data(), base::size(W->size())},
                    {draw.seed, base::stream_id(base::Stream::entry_shuffles, draw.head, stream++)});
    counts.add(share_reaches(shuffled_query, shuffled_key, share));
  }
  return counts.p();
}

ProductTest product_test(const FactoredMap& map, const MatrixXd& query, const MatrixXd& key, const NullOptions& options,
                         NullTables& tables, const Draw& draw) {
  const int m = rows(map), d = columns(map);
  const laws::HeadStatistics head = head_statistics(map);
  const double edge = std::sqrt(laws::FactorProductLaw(static_cast<double>(m) / d).support().upper);
  ProductTest test;
  test.largest = head.largest / d / d;
  test.edge_gap = std::sqrt(test.largest) / edge - 1;
  const LeadingTest leading = tables.leading(m, d, head, options, options.table_draws);
  test.score = leading.score;
  test.p = leading.p;
  test.largest_p = leading.largest_p;
  test.shape_distance = head.shape;
  if (!options.exact_tables) return test;
  test.shape_p = tables.at(m, d, options.table_draws).p_values(head).shape;
  test.shuffle_p = shuffle_p(query, key, head.share, options, draw);
  return test;
}

double factor_p(const FactoredMap& map, const VectorXd& eigenvalues) {
  const int m = rows(map), d = columns(map);
  const double variance = eigenvalues.sum() / (static_cast<double>(m) * d);
  return laws::edge_p_value(laws::tied_score(m, d, eigenvalues.maxCoeff() / variance));
}

RotationTest rotation_test(const FactoredMap& map, const VectorXd& a, const VectorXd& b, const NullOptions& options,
                           const Draw& draw) {
  const double energy = map.energy(), largest = map.singular_values.front() * map.singular_values.front();
  const laws::Cumulants rotated = laws::rotated_energy(a, b);
  laws::Cumulants permuted = laws::permuted_energy(map.query_gram, map.key_gram);
  const bool turns = !constant(rotated), permutes = !constant(permuted);
  // The skewness is that over rotations, the nearest known one.
  if (turns) permuted.third = rotated.third * std::pow(permuted.variance / rotated.variance, 1.5);
  const auto draws = static_cast<std::size_t>(options.draws);
  RotationTest test;
  test.edge_ratio = largest / laws::rotated_edge(a, b).position;
  if (turns) {
    test.energy_score = score_of(rotated, energy);
    test.energy_drawn = laws::short_tail(rotated, energy);
    laws::RotationCounts counts;
    if (options.exact_tables) counts.largest = {draws, options.most_draws()};
    // Of two sides the least p-value is twice that of one.
    if (test.energy_drawn) counts.energy = {draws, 2 * options.most_draws()};
    counts = laws::count_rotations(a, b, {largest, energy, energy < rotated.mean}, counts, draw.seed, draw.head);
    test.energy_p = test.energy_drawn ? std::min(1.0, 2 * counts.energy.p()) : laws::two_sided_pearson(rotated, energy);
    if (options.exact_tables) test.largest_p = counts.largest.p();
  }
  if (permutes) {
    test.permuted_score = score_of(permuted, energy);
    test.permuted_p = laws::two_sided_pearson(permuted, energy);
    if (options.exact_tables) {
      const laws::PermutationCounts counts =
          laws::count_permutations(map.query_gram, map.key_gram, energy, draws, draw.seed, draw.head);
      // Where no permutation goes as far, the closed form says how far out the energy lies.
      const std::size_t beyond = std::min(counts.above, counts.below);
      const double exact = std::min(1.0, 2 * laws::monte_carlo_p_value(beyond, draws));
      test.permuted_p = beyond == 0 ? std::min(exact, test.permuted_p) : exact;
    }
  }
  return test;
}

SymmetryTest symmetry_test(const FactoredMap& map, const MatrixXd& query, const MatrixXd& key,
                           const NullOptions& options, const Draw& draw) {
  const int d = columns(map);
  const VectorXd s = VectorXd::Map(map.singular_values.data(), static_cast<Eigen::Index>(map.singular_values.size()));
  const double tau = map.trace_of_square() / s.squaredNorm(), trace = map.trace();
  const laws::Cumulants symmetry = laws::rotated_symmetry(s, d), rotated = laws::rotated_trace(s, d);
  SymmetryTest test;
  test.score = score_of(symmetry, tau);
  test.p = laws::two_sided_normal(symmetry, tau);
  test.trace_score = score_of(rotated, trace);
  test.trace_p = laws::two_sided_normal(rotated, trace);
  const double stable_rank = s.squaredNorm() / (s[0] * s[0]);
  if (!options.exact_tables && stable_rank >= kNormalStableRank) return test;
  const laws::InputRotationCounts counts =
      laws::count_input_rotations(s, d, tau, trace, static_cast<std::size_t>(options.draws), options.most_draws(),
                                  options.exact_tables ? s.size() : kLeadingValues, draw.seed, draw.head);
  test.p = counts.symmetry.p();
  test.trace_p = counts.trace.p();
  if (!options.exact_tables) return test;
  test.flipped_score = score_of(laws::flipped_symmetry(query, key), map.trace_of_square());
  return test;
}

/// The singular values of a tied map are the eigenvalues of W Wᵀ, whose mean gives the variance of the entries.
TiedTest tied_test(const FactoredMap& map) {
  const int m = rows(map), d = columns(map);
  const std::vector<double>& s = map.singular_values;
  const double variance = std::accumulate(s.begin(), s.end(), 0.0) / (static_cast<double>(m) * d);
  TiedTest test;
  test.score = laws::tied_score(m, d, s.front() / variance);
  test.p = laws::edge_p_value(test.score);
  return test;
}

}  // namespace

laws::HeadStatistics head_statistics(const FactoredMap& map) {
  const double m = static_cast<double>(map.m()), d = static_cast<double>(map.query_dimension);
  std::vector<double> squares = map.singular_values;
  for (double& s : squares) s *= s;
  const double scales = map.query_gram.trace() / (m * d) * (map.key_gram.trace() / (m * d));
  return {squares.front() / scales, squares.front() / map.energy(), laws::shape_distance(squares, m / d)};
}

bool lower_rank(const FactorSpectra& spectra) {
  constexpr double kRounding = 1e-9;  // of numbers of single precision, which come as squares
  const auto has_kernel = [](const VectorXd& values) { return !(values.minCoeff() > kRounding * values.maxCoeff()); };
  return has_kernel(spectra.query) || has_kernel(spectra.key);
}

NullTests test_head(const FactoredMap& map, const FactorSpectra& spectra, const SymmetryMeasures& symmetry,
                    const MatrixXd& query, const MatrixXd& key, const NullOptions& options, const Draw& draw) {
  NullTests tests;
  tests.rotation = rotation_test(map, spectra.query, spectra.key, options, draw);
  if (map.square()) tests.symmetry = symmetry_test(map, query, key, options, draw);
  if (like_tied(symmetry)) tests.tied = tied_test(map);
  return tests;
}

void test_product(const FactoredMap& map, const FactorSpectra& spectra, const MatrixXd& query, const MatrixXd& key,
                  const NullOptions& options, NullTables& tables, const Draw& draw, NullTests& tests) {
  tests.lower_rank = lower_rank(spectra);
  // Both laws take residual vectors of one length, and as many directions as rows.
  if (map.query_dimension != map.key_dimension || *tests.lower_rank) return;
  tests.product = product_test(map, query, key, options, tables, draw);
  tests.factors = {factor_p(map, spectra.query), factor_p(map, spectra.key)};
}

}  // namespace attnlaw::checkpoint
