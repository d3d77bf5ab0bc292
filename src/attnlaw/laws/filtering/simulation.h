#pragma once
/// Filters built-in targets layer by layer: what theory predicts, and one draw beside it (docs/theory/lofi.md, section
/// 3).

#include <cstdint>
#include <optional>
#include <vector>

#include "attnlaw/laws/filtering/network.h"
#include "attnlaw/laws/filtering/target.h"

namespace attnlaw::laws {

/// The prediction for one relevant direction at one n.
struct LofiPrediction {
  int group = 1;              ///< 1, or 2 if only the leap step sees it
  Kept end = Kept::above;     ///< the end where it emerges first
  double threshold = 0;       ///< the n above which it is seen; infinite if it never is
  double wide_threshold = 0;  ///< the threshold d E T²/θ² of the limit of large δ
  double eigenvalue = 0;      ///< at this n; the edge if hidden
  double overlap = 0;         ///< squared overlap at this n; 0 if hidden
};
const base::Description& describe(const LofiPrediction*);

struct LofiTheory {
  double lower_edge = 0, upper_edge = 0;
  std::vector<LofiPrediction> directions;  ///< in order of emergence, group by group; thresholds in samples
  double mean_overlap = 0;                 ///< mean squared overlap over the first group
  double kernel_threshold = 0;             ///< samples that the lazy degree-2 kernel needs: D²/2 for D inputs in all
  double kernel_plateau = 0;  ///< error of that kernel until n ~ D⁴, 1 − linear_share; NaN for attention
  std::optional<double> depth_two_error;  ///< for sine and staircase, if anything is seen
};
const base::Description& describe(const LofiTheory*);
/// Predicts for n samples in d dimensions. Throws std::invalid_argument unless d exceeds the number of relevant
/// directions.
LofiTheory predict_lofi(const LofiTarget& target, int d, double n);

struct LofiMeasurement {
  LofiResult result;
  int seen = 0;                          ///< number of directions kept at either end
  double mean_overlap = 0;               ///< ‖P̂U‖²_F/r over the first group
  std::vector<double> feature_overlaps;  ///< squared overlap of each kept feature of the first operator with span U
  double leap_overlap = 0;               ///< ‖P̂U‖²_F/r of the leap step over the second group
};
const base::Description& describe(const LofiMeasurement*);

/// Runs one draw of n training and `test` test samples in d dimensions. Throws std::invalid_argument for d < 2 r or out
/// of range, base::MemoryError if they do not fit.
LofiMeasurement measure_lofi(const LofiTarget& target, int d, int n, int test, std::uint64_t instance,
                             const LofiOptions& options);

}  // namespace attnlaw::laws
