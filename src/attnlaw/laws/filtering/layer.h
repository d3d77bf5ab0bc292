#pragma once
/// One layer of spectral filtering on data: the label-weighted operator, what stands out of its bulk, and why it is
/// kept (docs/theory/lofi.md, sections 1 and 2).

#include <Eigen/Core>
#include <cstdint>
#include <vector>

#include "attnlaw/base/describe.h"
#include "attnlaw/base/matrix.h"
#include "attnlaw/base/names.h"
#include "attnlaw/laws/filtering/law.h"

namespace attnlaw::laws {

/// Shift and scale of every column.
struct Standardisation {
  Eigen::RowVectorXd mean;
  Eigen::RowVectorXd scale;  ///< 1/standard deviation, 0 for a constant column
  base::Matrix<double> operator()(const base::Matrix<double>& x) const;
};
Standardisation standardisation_of(const base::Matrix<double>& x);

/// M = (1/n) Σ_μ t_μ φ_μ φ_μᵀ (p×p), two symmetric products: rows of positive and of negative t.
base::Matrix<double> weighted_operator(const base::Matrix<double>& phi, const Eigen::ArrayXd& t);

/// Why a direction is kept.
enum class Kept {
  above,      ///< eigenvalue of M above the bulk
  below,      ///< below it
  stacked,    ///< singular value of [M_1 … M_c] above its bulk: several outputs
  degree_one  ///< b = (1/n) Σ t φ
};
std::span<const base::Named<Kept>> names_table(Kept);

struct LofiFeature {
  Kept kept = Kept::above;
  double eigenvalue = 0;      ///< that of M, or singular value; for degree one n|b|²/(E t² p), mean 1 for pure noise
  double p_value = 0;         ///< the tail of pure noise
  Eigen::VectorXd direction;  ///< unit vector in R^p
  int output = 0;             ///< for degree one, the output whose b it is
};
const base::Description& describe(const LofiFeature*);

struct FilterOptions {
  double significance = 0.01;  ///< directions are kept that noise makes at most this often, in (0, 1)
  int permutations = 0;        ///< permutations of t, for features that are not white; 0: the law of white ones
  std::uint64_t seed = 0;      ///< seed of the permutations
  bool degree_one = true;
  int most = 200;        ///< largest number of directions kept at either end
  bool density = false;  ///< also the density of the bulk, to draw it
};
const base::Description& describe(const FilterOptions*);

struct FilteredLayer {
  std::vector<double> eigenvalues;                  ///< those of M, or singular values of [M_1 … M_c]; ascending
  double lower_edge = 0, upper_edge = 0;            ///< ends of the bulk of white features with these very weights
  double lower_threshold = 0, upper_threshold = 0;  ///< kept beyond: where noise comes that often
  std::vector<LofiDensity> bulk;                    ///< if asked for, of one output: integral 1 − zero_mass
  double zero_mass = 0;
  Eigen::Index samples = 0, dimension = 0;  ///< n and the dimension in which φ lives
  std::vector<LofiFeature> features;        ///< above (largest first), below (lowest first), degree one
  /// VᵀM_kV of each output, V the directions of degree two.
  std::vector<Eigen::MatrixXd> couplings;
  bool stacked = false;  ///< several outputs: singular values

  /// The features of degree two.
  std::vector<LofiFeature> quadratic() const;
};
const base::Description& describe(const FilteredLayer*);

/// Eigenvectors of M outside its bulk, and b = (1/n) Σ t φ if it is longer than noise makes it. With c > 1 columns of
/// t, left singular vectors of [M_1 … M_c] above its bulk (lofi_stack.h) and every b_k, at p-values times c. φ centred
/// and standardised, t bounded. `rank` ≤ p: dimension of the space in which φ lives (0: p), for deflated features.
/// Throws std::invalid_argument for options out of range, for sizes that do not match, and for t that are all 0.
FilteredLayer filter_layer(const base::Matrix<double>& phi, const Eigen::ArrayXXd& t, const FilterOptions& options,
                           Eigen::Index rank = 0);

/// ĥ_k = Σ_ij (VᵀM_kV)_ij (ŝ_i ŝ_j − δ_ij), ŝ = Vᵀφ: what M_k selects among quadratic functions of the projections; one
/// column for each output. For one output Σ_j λ_j (ŝ_j² − 1).
base::Matrix<double> quadratic_features(const base::Matrix<double>& phi, const FilteredLayer& layer);

/// φ without its components along the directions (orthonormalised first).
base::Matrix<double> deflated(const base::Matrix<double>& phi, const std::vector<LofiFeature>& directions);

/// The projections of φ on the directions, one column each.
base::Matrix<double> projections(const base::Matrix<double>& phi, const std::vector<LofiFeature>& directions);

}  // namespace attnlaw::laws
