#pragma once
/// Implements the published recipe of layer-wise spectral filtering for comparison: random ReLU lift, label-weighted
/// operator, the k largest |λ| whatever they are (docs/theory/lofi.md, section 4).

#include <cstdint>
#include <vector>

#include "attnlaw/laws/filtering/layer.h"

namespace attnlaw::laws {

/// A layer H ↦ Z V with Z = max(0, HW/c)/√p, the same for training and test samples.
struct PublishedLayer {
  double scale = 1;             ///< c, root mean square length of the training inputs
  base::Matrix<double> lift;    ///< W, k × p
  Eigen::RowVectorXd mean;      ///< subtracted from Z; empty for the recipe as published, which does not centre
  Eigen::MatrixXd filters;      ///< V, p × kept
  Eigen::VectorXd eigenvalues;  ///< those of M that belong to V, by falling |λ|

  base::Matrix<double> lifted(const base::Matrix<double>& inputs) const;
  base::Matrix<double> operator()(const base::Matrix<double>& inputs) const { return lifted(inputs) * filters; }
};

struct PublishedLayerOptions {
  int width = 1500;     ///< p
  int keep = 16;        ///< k', 1 to p
  bool centre = false;  ///< whether to subtract the mean from Z
  std::uint64_t seed = 0;
  std::uint64_t number = 0;  ///< number of the layer, which gives it random numbers of its own
};

/// Makes a layer from M = (1/n) Zᵀ diag(y) Z. For a convolution the inputs are all patches, one per row, and y is
/// repeated for the patches of a sample: M is then the mean over positions. Throws std::invalid_argument for widths out
/// of range or sizes that do not match.
PublishedLayer published_layer(const base::Matrix<double>& inputs, const Eigen::ArrayXd& y,
                               const PublishedLayerOptions& options);

/// The layer at infinite width, from the Gram matrix of the training samples alone.
struct KernelLayer {
  base::Matrix<double> coordinates;  ///< A = G^{−1/2} B, n × kept: features are (kernel with the training samples)·A
  Eigen::VectorXd eigenvalues;       ///< those of G^{1/2} diag(y) G^{1/2}/n, by falling |λ|
};

/// Makes the layer from the Gram matrix G, `gram`, n×n, symmetric and positive semidefinite; directions of G below
/// 1e-10 of its largest eigenvalue are dropped.
KernelLayer kernel_layer(const base::Matrix<double>& gram, const Eigen::ArrayXd& y, int keep);

/// Returns E_w max(0, w·x) max(0, w·x')/c² for w ~ N(0, I), rows x of a and x' of b, and c = scale.
base::Matrix<double> relu_kernel(const base::Matrix<double>& a, const base::Matrix<double>& b, double scale);

/// Returns the root mean square length of the rows.
double root_mean_square_length(const base::Matrix<double>& x);

/// patches_of cuts the rows of x into `patches` equal parts, one per row; `repeated` repeats the y of a sample for its
/// patches.
base::Matrix<double> patches_of(const base::Matrix<double>& x, int patches);
Eigen::ArrayXd repeated(const Eigen::ArrayXd& y, int times);
/// Returns the means over the `patches` consecutive rows of each sample.
base::Matrix<double> pooled(const base::Matrix<double>& rows, int patches);

}  // namespace attnlaw::laws
