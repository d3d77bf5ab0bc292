#pragma once
/// All that is said about one head.

#include <algorithm>
#include <string>
#include <vector>

#include "attnlaw/checkpoint/head.h"
#include "attnlaw/checkpoint/inspection/measures.h"
#include "attnlaw/checkpoint/inspection/null_tests.h"
#include "attnlaw/checkpoint/inspection/outliers.h"
#include "attnlaw/checkpoint/inspection/trained_law.h"

namespace attnlaw::checkpoint {

/// Which product of two factors is looked at.
enum class MapKind {
  query_key,    ///< W_Qᵀ W_K: what attends to what
  output_value  ///< W_O W_V: what is written of what is read
};
std::span<const base::Named<MapKind>> names_table(MapKind);

/// Both factors of a map.
struct Factors {
  Eigen::MatrixXd left, right;  ///< m×d; the map is leftᵀ right
  bool one_space = true;        ///< both act on the same residual vectors
  /// Both are weights of the head, which nulls of factors may be asked about; not for a map that is known as a whole.
  bool factored = true;

  bool finite() const { return left.allFinite() && right.allFinite(); }
  Factors divided(double left_scale, double right_scale) const {
    return {left / left_scale, right / right_scale, one_space, factored};
  }
};

/// Returns ⟨S, S′⟩ of two maps of the same shape.
double inner_product(const Factors& a, const Factors& b);

struct HeadReport {
  int layer = 0, head = 0, key_head = 0;
  std::string block;
  int rows = 0;  ///< m
  int dimension =
      0;  ///< d of the nulls: one less than the columns where all rows sum to 0, as behind a folded layer norm
  std::string defect;  ///< why there are no figures; empty: there are
  Recipe recipe = Recipe::gram;
  RankMeasures ranks;
  SymmetryMeasures symmetry;
  FactorMeasures factors;
  double key_bias = kAbsent;       ///< ‖W_Kᵀ b_Q‖/‖S‖
  double offset_energy = kAbsent;  ///< ‖S_0‖² over its mean over offsets; rotary positions only
  NullTests tests;
  Outliers outliers;
  TrainedLawFit fit;
  std::vector<double> singular_values;
  double product_holm = kAbsent;   ///< p of N1, adjusted for all heads
  double shuffle_holm = kAbsent;   ///< that of shuffled entries, adjusted for the heads whose entries have heavy tails
  double rotation_holm = kAbsent;  ///< of N2
  double permuted_holm = kAbsent;  ///< of N2s
  double largest_holm = kAbsent;   ///< of N2 by s₁
  double symmetry_holm = kAbsent;  ///< of N3
  double trace_holm = kAbsent;     ///< of the trace
  double tied_holm = kAbsent;      ///< of N4, adjusted for the heads that are like a tied one

  bool inspected() const { return defect.empty(); }
  bool heavy_tailed() const { return factors.kurtosis > kHeavyTails; }
};
const base::Description& describe(const HeadReport*);

/// Whether the figures of a head took an exact table of null heads, and whether they took drawn rotations.
bool draws_table(const HeadReport& report, bool exact_tables);
bool draws_rotations(const HeadReport& report, bool exact_tables);

/// The sizes of the nulls of a map: d is one less than the columns where the rows of both factors sum to 0.
struct NullShape {
  int rows = 0, query_dimension = 0, key_dimension = 0;
  bool factored = true;

  bool has_laws() const { return factored && rows >= 2 && rows <= std::min(query_dimension, key_dimension); }
  /// N1 takes residual vectors of one length.
  bool has_product() const { return has_laws() && query_dimension == key_dimension; }
};
NullShape null_shape(const Factors& factors);

/// Whether both factors have as many directions as rows, as N1 asks; not of entries that are not finite.
bool full_rank(const Factors& factors);

/// Fills all figures of a report from both factors of its map, but for adjusted p-values. Norms that leave the range of
/// double precision are infinite or 0; all other figures are free of the scales of the factors. `stored`: the factors
/// without the gain of a normalisation that `factors` carry, of which N1 and the law of one factor are asked then.
void fill_report(const Factors& factors, const NullOptions& options, NullTables& tables, const Draw& draw,
                 HeadReport& report, const Factors* stored = nullptr);

}  // namespace attnlaw::checkpoint
