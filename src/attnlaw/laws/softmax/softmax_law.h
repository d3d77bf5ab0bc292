#pragma once
/// Computes the law of the singular values of softmax attention at random initialisation (docs/theory/softmax_law.md).
///
/// A = softmax(β S), T×T, with scores S of random weights and unit variance. In the limit T, d, m → ∞ the singular
/// values s of A_⊥ = √T (A − 1 1ᵀ/T) follow those of a linear model, βS plus an independent Gaussian matrix.
///
/// ```cpp
/// #include <cstdio>
///
/// #include "attnlaw/laws/softmax/softmax_law.h"
///
/// attnlaw::laws::SoftmaxParameters parameters;
/// parameters.beta = 1.5;  // standard deviation of the logits
/// parameters.rho = 2;     // twice as many tokens as head dimensions
/// const attnlaw::laws::SoftmaxLaw law(parameters);
/// std::printf("singular values up to %.3f, density at 0 %.3f\n", law.edge(), law.density_at_zero());
/// const std::array<double, 3> moments = law.moments();
/// std::printf("mean square %.4f = e^(β²) − 1 = %.4f\n", moments[0], attnlaw::laws::entry_variance(parameters.beta));
/// ```

#include <array>
#include <complex>
#include <optional>
#include <vector>

#include "attnlaw/base/describe.h"
#include "attnlaw/base/names.h"
#include "attnlaw/matrix_laws/law.h"

namespace attnlaw::laws {

enum class TokenModel {
  orthonormal,  ///< X Xᵀ = 1, which needs T ≤ d; then d drops out
  gaussian      ///< X with iid N(0,1) entries
};
std::span<const base::Named<TokenModel>> names_table(TokenModel);

struct SoftmaxParameters {
  double beta = 1;  ///< inverse temperature: the standard deviation of the logits
  double rho = 1;   ///< T/m, tokens over head dimension
  TokenModel tokens = TokenModel::orthonormal;
  double tau = 0;  ///< T/d, tokens over embedding dimension

  /// Throws std::invalid_argument that names the first value out of range: beta in (0, kMostBeta], rho > 0, tau > 0 for
  /// Gaussian tokens and in [0, 1] for orthonormal ones.
  void validate() const;

  /// Beyond this the entries of A_⊥ overflow; the law is that of iid entries long before.
  static constexpr double kMostBeta = 10;
};
const base::Description& describe(const SoftmaxParameters*);

/// Returns e^{β²} − 1, the variance of an entry of A_⊥.
double entry_variance(double beta);

/// A free summand of Y with the R-transform v h/(1 − c v h²): a matrix of features whose dimension is T/c.
struct FeatureMatrix {
  double variance = 0;  ///< v > 0
  double ratio = 0;     ///< c > 0
};

/// The linear model whose singular values follow the law: Y = T^{-1/2} (β S + Σ F + ω Z), Z with iid N(0,1) entries.
struct LinearModel {
  double beta = 1;
  double rho = 1;
  double tau = 0;                            ///< T/d of Gaussian tokens, 0 for orthonormal ones
  double noise = 0;                          ///< ω² > 0
  std::vector<FeatureMatrix> features = {};  ///< only for τ = 0

  /// Returns the variance of an entry of √T Y.
  double variance() const;
  /// Returns k_{2j} of the law of ±s, j ≥ 1: its free cumulant of even order 2j.
  double free_cumulant(int j) const;
};

/// Returns the model of the limit, ω² = e^{β²} − 1 − β². Throws as SoftmaxParameters::validate.
LinearModel linear_model(const SoftmaxParameters& parameters);

/// The law of the singular values s of Y, and that of λ = s².
///
/// h(z) = ∫ μ(dx)/(z − x), μ the symmetrised law, satisfies z = 1/h + R(h), which has one solution in the lower half
/// plane for Im z > 0, and for real z inside the support. It is found by Newton's method on a rational parametrisation
/// and recognised by signs: no root of a polynomial is picked, for either model of the tokens.
class SoftmaxLaw {
 public:
  /// Throws std::invalid_argument unless β, ρ, ω² > 0, τ ≥ 0, all finite, and there are no features with τ > 0.
  explicit SoftmaxLaw(const LinearModel& model);
  explicit SoftmaxLaw(const SoftmaxParameters& parameters) : SoftmaxLaw(linear_model(parameters)) {}

  const LinearModel& model() const { return model_; }

  /// A band of the singular values and its exact mass.
  struct Band {
    matrix_laws::Interval support;
    double mass = 0;
  };
  /// Returns the bands, ascending; the first one begins at 0.
  const std::vector<Band>& bands() const { return bands_; }
  /// Returns s₊, the upper end of the last band.
  double edge() const { return bands_.back().support.upper; }
  /// Returns t at the edge, the point of the parametrisation where z(t) is least.
  double edge_parameter() const { return edge_parameter_; }

  /// Returns the density of s at 0.
  double density_at_zero() const;
  /// Returns the density of s ≥ 0; 0 off the bands.
  double density(double s) const;
  /// Returns h(s + i0) inside a band. Throws std::domain_error elsewhere.
  std::complex<double> stieltjes(double s) const;

  struct Curve {
    std::vector<double> s;
    std::vector<double> density;
  };
  /// Returns about `count` points of the density of s along the bands, ascending, closer towards their ends.
  Curve density_curve(int count) const;

  /// Returns E λ, E λ², E λ³.
  std::array<double, 3> moments() const;

  /// Returns the law of λ = s², for its distribution function, quantiles and integrals.
  const matrix_laws::Law& squared() const { return squared_; }

  /// Returns the singular value outside the bulk that a rank-one term of the given strength (singular value) makes;
  /// nothing if it makes none.
  std::optional<double> outlier(double strength) const;

 private:
  LinearModel model_;
  std::vector<Band> bands_;
  double edge_parameter_ = 0;
  matrix_laws::Law squared_;
};
const base::Description& describe(const SoftmaxLaw::Band*);
const base::Description& describe(const SoftmaxLaw::Curve*);
const base::Description& describe(const SoftmaxLaw*);

/// Returns θ = √(k₄/2), the strength of the rank-one term that the fluctuating norms of the keys leave in A_⊥; this is
/// heuristic.
double column_strength(const SoftmaxParameters& parameters);

/// Returns s₁(A) − 1 = (e^{β²} − 1 + θ²)/(2T) up to smaller terms, s₁ the one singular value that A_⊥ does not have.
double leading_singular_value_excess(const SoftmaxParameters& parameters, double length);

/// The distance of the law from that of a square matrix with iid entries of the same variance.
struct MarchenkoPasturDistance {
  double edge = 0;                 ///< 2σ, the upper end of its singular values
  double kolmogorov = 0;           ///< sup |F − F_MP|
  double wasserstein = 0;          ///< W₁ between the laws of s
  double wasserstein_squared = 0;  ///< W₁ between the laws of λ = s²
};
const base::Description& describe(const MarchenkoPasturDistance*);
MarchenkoPasturDistance marchenko_pastur_distance(const SoftmaxLaw& law);

}  // namespace attnlaw::laws
