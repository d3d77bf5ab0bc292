#pragma once
/// Singular values that stand out of the null law: how many, how strong, how well their directions are known
/// (docs/theory/query_key_nulls.md, section 3).

#include <span>
#include <vector>

#include "attnlaw/base/describe.h"
#include "attnlaw/base/names.h"
#include "attnlaw/checkpoint/inspection/absent.h"
#include "attnlaw/checkpoint/inspection/factored_map.h"
#include "attnlaw/checkpoint/inspection/null_tables.h"

namespace attnlaw::checkpoint {

/// Whether the null law describes what is left of a head without its outliers.
enum class OutlierStatus {
  counted,         ///< it does
  too_many,        ///< more than m/4 values stand out
  bulk_rejected,   ///< the shape of the rest is not that of the law at 1 %
  too_few_values,  ///< fewer than 4 singular values
  no_law           ///< there is none for this map
};
std::span<const base::Named<OutlierStatus>> names_table(OutlierStatus);

/// One outlier, or a block of outliers whose values lie closer than 5 %, so that only the space they span is known.
struct Outlier {
  int first = 1;              ///< place of the (first) singular value, from 1
  int size = 1;               ///< singular values of the block
  double singular_value = 0;  ///< the mean of the block
  double position = 0;        ///< z = s/(σ_Q σ_K d), with the scale of the rest
  double strength = 0;        ///< θ of an additive spike that makes it
  double overlap = 0;         ///< squared overlap of its directions with those of that additive spike, by the law
  double p = 0;               ///< of the first value of the block, among what is left without the larger ones
};
const base::Description& describe(const Outlier*);

struct Outliers {
  OutlierStatus status = OutlierStatus::no_law;
  int count = 0;          ///< singular values that stand out; with too_many a lower bound
  double edge = kAbsent;  ///< singular value at which the law of the rest ends
  /// a_Q of a spike in W_Q; absent if the largest eigenvalue of W_Q W_Qᵀ does not stand out.
  double query_strength = kAbsent;
  double key_strength = kAbsent;  ///< a_K
  /// ρ² of both in the head space, by the first outlier. Absent without, and where no pair of spikes explains it: the
  /// estimate then leaves [0, 1] by more than its noise.
  double alignment = kAbsent;
  /// Squared overlaps of the first outlier's directions with those of the two spikes, by the law; absent without ρ².
  double query_overlap = kAbsent;
  double key_overlap = kAbsent;
  std::vector<Outlier> outliers = {};  ///< only with status counted
};
const base::Description& describe(const Outliers*);

/// Compares s_{k+1}²/Σ_{i>k} s_i² with the null law of (m − k, d − k) for k = 0, 1, … until the first p > 1 %.
Outliers find_outliers(const FactoredMap& map, const FactorSpectra& spectra, const NullOptions& options,
                       NullTables& tables);

}  // namespace attnlaw::checkpoint
