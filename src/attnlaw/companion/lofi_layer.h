#pragma once
/// One layer of spectral filtering on data: the label-weighted operator, what stands out of its bulk, and why it is
/// kept (docs/theory/lofi.md, sections 1 and 2).

#include <Eigen/Core>
#include <cstdint>
#include <string>
#include <vector>

#include "attnlaw/companion/lofi_law.h"

namespace attnlaw::companion {

/// Samples by rows.
using Samples = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

/// Shift and scale of every column.
struct Standardisation {
  Eigen::RowVectorXd mean;
  Eigen::RowVectorXd scale;  ///< 1/standard deviation, 0 for a constant column
  Samples operator()(const Samples& x) const;
};
Standardisation standardisation_of(const Samples& x);

/// M = (1/n) Σ_μ t_μ φ_μ φ_μᵀ (p×p), two symmetric products: rows of positive and of negative t.
Samples weighted_operator(const Samples& phi, const Eigen::ArrayXd& t);

/// Why a direction is kept.
enum class Kept { above, below, degree_one };
std::string name(Kept kept);

struct LofiFeature {
  Kept kept = Kept::above;
  double eigenvalue = 0;      ///< of M; for degree one n|b|²/(E t² p), 1 in the mean for pure noise
  double p_value = 0;         ///< of pure noise
  Eigen::VectorXd direction;  ///< unit vector in R^p
};

struct FilterOptions {
  double significance = 0.01;  ///< directions of less likely noise are kept, in (0, 1)
  int permutations = 0;        ///< of t for p-values of features that are not white; 0: the law of white ones
  std::uint64_t seed = 0;      ///< of the permutations
  bool degree_one = true;
  int most = 200;  ///< largest number of directions kept at either end
};

struct FilteredLayer {
  std::vector<double> eigenvalues;        ///< of M, ascending
  double lower_edge = 0, upper_edge = 0;  ///< of the bulk of white features with these very weights
  std::vector<LofiFeature> features;      ///< above (largest first), below (lowest first), degree one
};

/// Eigenvectors of M outside its bulk, and b = (1/n) Σ t φ if it is longer than noise makes it. φ centred and
/// standardised, t bounded. `rank` ≤ p: dimension of the space in which φ lives (0: p), for deflated features. Throws
/// std::invalid_argument for options out of range, for sizes that do not match, and for t that are all 0.
FilteredLayer filter_layer(const Samples& phi, const Eigen::ArrayXd& t, const FilterOptions& options,
                           Eigen::Index rank = 0);

/// φ without its components along the directions (orthonormalised first).
Samples deflated(const Samples& phi, const std::vector<LofiFeature>& directions);

/// The projections of φ on the directions, one column each.
Samples projections(const Samples& phi, const std::vector<LofiFeature>& directions);

}  // namespace attnlaw::companion
