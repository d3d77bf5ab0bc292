#pragma once
/// Layer-wise spectral filtering from data to a readout at every depth, beside fixed kernels
/// (docs/theory/lofi.md, section 1).

#include <optional>
#include <string>
#include <vector>

#include "attnlaw/base/estimate.h"
#include "attnlaw/companion/lofi_layer.h"
#include "attnlaw/companion/lofi_target.h"

namespace attnlaw::companion {

/// Samples with one label each.
struct LabelledSamples {
  Samples x;
  Eigen::ArrayXd y;
};

struct LofiOptions {
  FilterOptions filter;
  double clip = 2;         ///< weights of data: labels in standard deviations, clipped at ± this and centred; > 0
  bool leap = true;        ///< look again with t' = clip(y ĥ), known directions taken out
  int lift = 500;          ///< ReLU features of a readout, 1 to 10000
  bool lazy = false;       ///< also read out fixed kernels of x
  int lazy_lift = 1500;    ///< ReLU features of the lazy readout
  bool published = false;  ///< also the published recipe, on raw labels: 1500 to 16 features, 1000 to 12, a last lift
  int patches = 0;         ///< with it, also its convolution: features are this many patches of equal size; 0: none
  std::uint64_t seed = 0;
};

/// What a readout makes of the test samples.
struct LofiReadout {
  std::string name;
  int inputs = 0;         ///< features below the lift
  double test_error = 1;  ///< mean squared, over the variance of the test labels
  double validation_error =
      1;  ///< the same of the ridge regression's own check: optimistic where filters saw these labels
  double penalty = 0;
};

struct LofiResult {
  FilteredLayer first;                ///< operator of t
  std::optional<FilteredLayer> leap;  ///< operator of t', without what is known; absent if nothing was known
  std::vector<LofiReadout> readouts;  ///< depth 1, depth 2, lazy ones if asked for
  double whiteness = 1;               ///< largest eigenvalue of the covariance of x over that of white features
};

/// The weights of labels that come from data.
Eigen::ArrayXd data_weights(const Eigen::ArrayXd& y, double clip);

/// Features from the training samples, readouts by ridge regression on them, errors on the test samples. Depth 1 reads
/// out a lift of the kept projections; depth 2 one of ĥ = Σ λ_j(ŝ_j² − 1) of each group and of the degree-one
/// projection. Without anything kept both answer the mean. Throws std::invalid_argument for values out of range, fewer
/// than 10 samples, or labels that are all the same.
LofiResult run_lofi(const LabelledSamples& train, const LabelledSamples& test, const Eigen::ArrayXd& t,
                    const LofiOptions& options);

/// What theory says of one relevant direction at one n.
struct LofiPrediction {
  int group = 1;              ///< 2: seen by the leap step alone
  Kept end = Kept::above;     ///< where it emerges first
  double threshold = 0;       ///< n above which it is seen; infinite: never
  double wide_threshold = 0;  ///< d E T²/θ²
  double eigenvalue = 0;      ///< at this n; the edge if hidden
  double overlap = 0;         ///< squared, at this n; 0 if hidden
};

struct LofiTheory {
  double lower_edge = 0, upper_edge = 0;
  std::vector<LofiPrediction> directions;  ///< in order of emergence, group by group
  double mean_overlap = 0;                 ///< over the first group
  double kernel_threshold = 0;             ///< d²/2: the lazy degree-2 kernel
  double kernel_plateau = 0;               ///< 1 − share of y linear in h: its error until n ~ d⁴
  std::optional<double> depth_two_error;   ///< sine and staircase, if anything is seen
};
LofiTheory predict_lofi(const LofiTarget& target, int d, double n);

struct LofiMeasurement {
  LofiResult result;
  int seen = 0;                          ///< directions kept at either end
  double mean_overlap = 0;               ///< ‖P̂U‖²_F/r over the first group
  std::vector<double> feature_overlaps;  ///< of each kept feature of the first operator with span U, squared
  double leap_overlap = 0;               ///< ‖P̂U‖²_F/r of the leap step over the second group
};

/// One draw of `train` and `test` samples in d dimensions. Throws std::invalid_argument for d < 2 r or out of range,
/// base::MemoryError if they do not fit.
LofiMeasurement measure_lofi(const LofiTarget& target, int d, int n, int test, std::uint64_t instance,
                             const LofiOptions& options);

}  // namespace attnlaw::companion
