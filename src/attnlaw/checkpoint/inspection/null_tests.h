#pragma once
/// One head against its null laws (docs/theory/query_key_nulls.md, sections 2 and 4). A p-value that does not exist for
/// a head, or is only made on request, is NaN.

#include <cstdint>
#include <optional>

#include "attnlaw/base/describe.h"
#include "attnlaw/checkpoint/inspection/absent.h"
#include "attnlaw/checkpoint/inspection/factored_map.h"
#include "attnlaw/checkpoint/inspection/measures.h"
#include "attnlaw/checkpoint/inspection/null_tables.h"

namespace attnlaw::checkpoint {

/// N1: independent factors of independent entries; says whether S is a random product. The main p-value is that of
/// s₁²/Σ s², a figure of S alone, which the gauge of the factors does not change.
struct ProductTest {
  double largest = kAbsent;   ///< T/d² = s₁²/(σ̂_Q² σ̂_K² d²)
  double edge_gap = kAbsent;  ///< (√(T/d²) − √x₊)/√x₊
  double score = kAbsent;     ///< s₁²/Σ s² on the scale of the Tracy-Widom law
  double p = kAbsent;
  double largest_p = kAbsent;       ///< by T
  double shape_distance = kAbsent;  ///< Kolmogorov distance of s²/mean(s²) from the law
  double shape_p = kAbsent;         ///< exact tables only
  /// Of the same entries in random places; exact tables only. It stands in for p where entries have heavy tails, and is
  /// drawn for such heads as long as the correction for their number asks.
  double shuffle_p = kAbsent;
};
const base::Description& describe(const ProductTest*);

/// Each factor against independent entries.
struct FactorTest {
  double query_p = kAbsent;
  double key_p = kAbsent;
};
const base::Description& describe(const FactorTest*);

/// N2 and N2s: the head space of the queries turned against that of the keys; says whether both are matched, or avoid
/// each other. Figures that no rotation (or permutation) changes, as for a W_Q of orthonormal rows, are absent.
struct RotationTest {
  double energy_score = kAbsent;    ///< (‖S‖² − mean)/deviation over rotations
  double energy_p = kAbsent;        ///< of both sides
  bool energy_drawn = false;        ///< …by drawn rotations, see matrix_laws::short_tail
  double permuted_score = kAbsent;  ///< the same over signed permutations of the rows
  double permuted_p = kAbsent;
  double edge_ratio = kAbsent;  ///< s₁² over the edge of the limit law
  double largest_p = kAbsent;   ///< of s₁; exact tables only
};
const base::Description& describe(const RotationTest*);

/// N3 and N3s: inputs turned against outputs; says whether what a head asks for and what it finds are related.
struct SymmetryTest {
  double score = kAbsent;  ///< (τ − mean)/deviation over rotations
  double p = kAbsent;
  double trace_score = kAbsent;
  double trace_p = kAbsent;
  double flipped_score = kAbsent;  ///< (Tr S² − mean)/deviation over random signs; exact tables only
};
const base::Description& describe(const SymmetryTest*);

/// N4, of heads that are like a tied one: against W_Q = W_K of independent entries.
struct TiedTest {
  double score = kAbsent;  ///< s₁/mean(s) on the scale of the Tracy-Widom law
  double p = kAbsent;
};
const base::Description& describe(const TiedTest*);

struct NullTests {
  ProductTest product;
  FactorTest factors;
  RotationTest rotation;
  SymmetryTest symmetry;
  TiedTest tied;
  /// A factor has fewer directions than rows: neither N1 nor the law of one factor is asked. Nothing for heads
  /// that have no laws (null_shape), whose factors are not looked at.
  std::optional<bool> lower_rank;
};

/// Which head it is, for independent random numbers.
struct Draw {
  std::uint64_t seed = 0;
  std::uint64_t head = 0;
};

/// Of a smaller stable rank τ has tails far heavier than normal ones, and is drawn in closed form too.
inline constexpr double kNormalStableRank = 4;

/// Whether a Gram matrix has a kernel, as that of the product of two thin matrices has.
bool lower_rank(const FactorSpectra& spectra);

/// Tests a head of 2 ≤ m ≤ d whose S is not 0 against N2, N3 and N4; spectra and symmetry are those of its map.
NullTests test_head(const FactoredMap& map, const FactorSpectra& spectra, const SymmetryMeasures& symmetry,
                    const Eigen::MatrixXd& query, const Eigen::MatrixXd& key, const NullOptions& options,
                    const Draw& draw);

/// Tests it against N1, and each factor alone.
void test_product(const FactoredMap& map, const FactorSpectra& spectra, const Eigen::MatrixXd& query,
                  const Eigen::MatrixXd& key, const NullOptions& options, NullTables& tables, const Draw& draw,
                  NullTests& tests);

/// Returns the statistics of N1.
matrix_laws::HeadStatistics head_statistics(const FactoredMap& map);

}  // namespace attnlaw::checkpoint
