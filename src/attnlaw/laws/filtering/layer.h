#pragma once
/// Makes one layer of spectral filtering on data: the label-weighted operator, the directions that stand out of its
/// bulk, and why each is kept (docs/theory/lofi.md, sections 1 and 2).

#include <Eigen/Core>
#include <cstdint>
#include <vector>

#include "attnlaw/base/describe.h"
#include "attnlaw/base/matrix.h"
#include "attnlaw/base/names.h"
#include "attnlaw/laws/filtering/law.h"

namespace attnlaw::laws {

/// Shifts and scales every column to mean 0 and variance 1; a constant one becomes 0.
struct Standardisation {
  Eigen::RowVectorXd mean;
  Eigen::RowVectorXd scale;  ///< 1/standard deviation, 0 for a constant column
  base::Matrix<double> operator()(const base::Matrix<double>& x) const;
};
Standardisation standardisation_of(const base::Matrix<double>& x);

/// Returns M = (1/n) Σ_μ t_μ φ_μ φ_μᵀ (p×p), as two symmetric products, of the rows with positive and with negative t.
base::Matrix<double> weighted_operator(const base::Matrix<double>& phi, const Eigen::ArrayXd& t);

/// Says why a direction is kept.
enum class Kept {
  above,      ///< its eigenvalue of M is above the bulk
  below,      ///< its eigenvalue of M is below the bulk
  stacked,    ///< its singular value of [M_1 … M_c] is above the bulk: several outputs
  degree_one  ///< it is b = (1/n) Σ t φ
};
std::span<const base::Named<Kept>> names_table(Kept);

struct LofiFeature {
  Kept kept = Kept::above;
  double eigenvalue = 0;  ///< of M, or singular value; for degree one n|b|²/(E t² p), whose mean is 1 for pure noise
  double p_value = 0;     ///< the probability that pure noise gives such a value
  Eigen::VectorXd direction;  ///< unit vector in R^p
  int output = 0;             ///< for degree one, the output whose b it is
};
const base::Description& describe(const LofiFeature*);

struct FilterOptions {
  double significance = 0.01;  ///< directions are kept that noise makes at most this often; in (0, 1)
  int permutations = 0;        ///< of t, for features that are not white; 0 takes the law of white ones
  std::uint64_t seed = 0;      ///< seed of the permutations
  bool degree_one = true;
  int most = 200;        ///< the most directions that are kept at either end
  bool density = false;  ///< whether to compute the density of the bulk, to draw it
};
const base::Description& describe(const FilterOptions*);

struct FilteredLayer {
  std::vector<double> eigenvalues;                  ///< of M, or singular values of [M_1 … M_c]; ascending
  double lower_edge = 0, upper_edge = 0;            ///< ends of the bulk of white features with these very weights
  double lower_threshold = 0, upper_threshold = 0;  ///< directions beyond these are kept
  std::vector<LofiDensity> bulk;  ///< if asked for, and for one output only; its integral is 1 − zero_mass
  double zero_mass = 0;
  Eigen::Index samples = 0, dimension = 0;  ///< n and the dimension in which φ lives
  std::vector<LofiFeature> features;        ///< above (largest first), below (lowest first), degree one
  /// VᵀM_kV of each output, where V has the directions of degree two as columns.
  std::vector<Eigen::MatrixXd> couplings;
  bool stacked = false;  ///< there are several outputs, and singular values in place of eigenvalues

  /// Returns the features of degree two.
  std::vector<LofiFeature> quadratic() const;
};
const base::Description& describe(const FilteredLayer*);

/// Keeps the eigenvectors of M outside its bulk, and b = (1/n) Σ t φ if it is longer than noise makes it. With c > 1
/// columns of t it keeps the left singular vectors of [M_1 … M_c] above its bulk (stack.h) and every such b_k, with c
/// times its p-value. φ must be centred and standardised, and t bounded. `rank` ≤ p is the dimension of the space in
/// which φ lives (0: p), for deflated features. Throws std::invalid_argument for options out of range, for sizes that
/// do not match, and for t that are all 0.
FilteredLayer filter_layer(const base::Matrix<double>& phi, const Eigen::ArrayXXd& t, const FilterOptions& options,
                           Eigen::Index rank = 0);

/// Returns ĥ_k = Σ_ij (VᵀM_kV)_ij (ŝ_i ŝ_j − δ_ij), ŝ = Vᵀφ, one column for each output: M_k selects it among the
/// quadratic functions of the projections. For one output it is Σ_j λ_j (ŝ_j² − 1).
base::Matrix<double> quadratic_features(const base::Matrix<double>& phi, const FilteredLayer& layer);

/// Returns φ without its components along the directions, which are orthonormalised first.
base::Matrix<double> deflated(const base::Matrix<double>& phi, const std::vector<LofiFeature>& directions);

/// Returns the projections of φ on the directions, one column each.
base::Matrix<double> projections(const base::Matrix<double>& phi, const std::vector<LofiFeature>& directions);

}  // namespace attnlaw::laws
