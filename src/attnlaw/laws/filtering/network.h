#pragma once
/// Runs layer-wise spectral filtering from data to a readout at every depth, beside fixed kernels (docs/theory/lofi.md,
/// section 1).

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "attnlaw/laws/filtering/layer.h"

namespace attnlaw::laws {

/// Samples of one vector or of several tokens each, with their labels.
struct LabelledSamples {
  base::Matrix<double> x;  ///< one token per row; those of a sample follow one another
  base::Matrix<double> y;  ///< one sample per row: its outputs, or the T² entries of its attention, row by row
  int tokens = 1;          ///< T
  bool attention = false;  ///< whether the labels are weights of pairs of tokens
  Eigen::Index size() const { return y.rows(); }
};

struct LofiOptions {
  FilterOptions filter;
  double clip = 2;         ///< labels in standard deviations are clipped at ± this, then centred; > 0
  bool leap = true;        ///< whether to look again with t' = clip(y ĥ), known directions taken out
  int lift = 500;          ///< ReLU features of a readout, 1 to 10000
  bool lazy = false;       ///< whether to read out fixed kernels of x, too
  int lazy_lift = 1500;    ///< ReLU features of the lazy readout
  bool published = false;  ///< also the published recipe on raw labels: 1500 to 16 features, 1000 to 12, a last lift
  int patches = 0;         ///< with `published`, also its convolution over so many patches of equal size; 0: none
  std::uint64_t seed = 0;
};
const base::Description& describe(const LofiOptions*);

/// The errors of a readout on the test samples.
struct LofiReadout {
  std::string name;
  int inputs = 0;               ///< features below the lift
  double test_error = 1;        ///< mean squared error over the variance of test labels, outputs in deviations
  double validation_error = 1;  ///< of the ridge regression's own check: optimistic where filters saw these labels
  double penalty = 0;
  std::vector<double> output_errors = {};  ///< the error of each of several outputs
};
const base::Description& describe(const LofiReadout*);

struct LofiResult {
  FilteredLayer first;                ///< the operator of t
  std::optional<FilteredLayer> leap;  ///< the operator of t', without what is known; absent if nothing was known
  std::vector<LofiReadout> readouts;  ///< depth 1, depth 2, lazy ones if asked for
  double whiteness = 1;               ///< the largest eigenvalue of the covariance of x over that of white features

  /// Returns the layers that there are, with their names.
  std::vector<std::pair<const char*, const FilteredLayer*>> layers() const;
};
const base::Description& describe(const LofiResult*);

/// Returns the weights of labels that come from data, samples × outputs: each output in standard deviations, clipped
/// and centred; for attention the symmetric part, with one deviation for all entries. Throws std::invalid_argument
/// unless clip > 0, and for labels that are all the same.
Eigen::ArrayXXd data_weights(const LabelledSamples& samples, double clip);

/// Finds features on the training samples, reads them out by ridge regression, and measures errors on the test samples.
/// Depth 1 reads out a lift of the kept projections ŝ; depth 2 one of ĥ_k (quadratic_features) of each group and of the
/// degree-one projections. For sequences, depth 1 reads means over the tokens of ŝ and ŝ², depth 2 those of ĥ_k; with
/// labels of attention, depth 1 reads the ŝ of all tokens, depth 2 the scores Σ_j λ_j ŝ_aj ŝ_bj. If nothing is kept,
/// both answer the mean. `t` holds the weights, samples × outputs. Throws std::invalid_argument for values out of
/// range, fewer than 10 samples, or labels that are all the same.
LofiResult run_lofi(const LabelledSamples& train, const LabelledSamples& test, const Eigen::ArrayXXd& t,
                    const LofiOptions& options);

}  // namespace attnlaw::laws
