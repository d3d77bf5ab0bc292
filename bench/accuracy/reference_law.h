#pragma once
/// The law of S + aZ in 50 digits, by other formulas than attnlaw's: the reference of the accuracy tables.
///
/// With G the Stieltjes transform of S, x = w + a²G(w) has at most one root w in the open upper half plane for real x
/// (n atoms: n + 1 roots, of which at least n − 1 are real), so any root found there is the right one, and g = G(w).
/// Integrals of polynomials of x against ρ or against −Im g²/π over (t, ∞) need no quadrature: they are Im P(w(t))/π
/// with P a primitive of x^k g^p dx along x(w), elementary for atoms (partial fractions) and for Marchenko-Pastur
/// (rational in g).

#include <array>
#include <boost/multiprecision/cpp_bin_float.hpp>
#include <boost/multiprecision/cpp_complex.hpp>
#include <memory>
#include <vector>

#include "attnlaw/matrix_laws/spectrum.h"

namespace attnlaw::accuracy {

using Real = boost::multiprecision::cpp_bin_float_50;
using ComplexReal = boost::multiprecision::cpp_complex_50;

/// A point w on the curve over x + i0 (real w: its limit from above), with g = G(w).
struct CurvePoint {
  ComplexReal w;
  ComplexReal g;
};

/// Primitives in w, real beyond the upper end of the support.
struct Primitives {
  ComplexReal g;    ///< ∫ G
  ComplexReal wg;   ///< ∫ w G
  ComplexReal wwg;  ///< ∫ w² G
  ComplexReal gg;   ///< ∫ G²
  ComplexReal wgg;  ///< ∫ w G²
  ComplexReal ggg;  ///< ∫ G³
};

struct ReferenceBand {
  Real lower, upper;      ///< in x
  Real w_lower, w_upper;  ///< the same ends on the curve
  Real mass;
};

/// A spectrum c·S plus noise of one variance: what differs between atoms and Marchenko-Pastur.
class ReferenceSpectrum {
 public:
  virtual ~ReferenceSpectrum() = default;
  virtual std::vector<ReferenceBand> bands(const Real& variance) const = 0;
  /// In a band; `nearby` is the point of a nearby x or null.
  virtual CurvePoint inside(const Real& variance, const Real& x, const CurvePoint* nearby) const = 0;
  /// Outside all bands, between the real w of the neighbouring edges (`low` < `high`, x itself if there is none).
  virtual CurvePoint outside(const Real& variance, const Real& x, const Real& low, const Real& high) const = 0;
  virtual Primitives primitives(const CurvePoint& point) const = 0;
  /// Moments 0 … 4.
  virtual std::array<Real, 5> moments() const = 0;
};

/// Integrals over (t, ∞).
struct UpperIntegrals {
  std::array<Real, 3> moment;    ///< ∫ x^k ρ
  std::array<Real, 2> response;  ///< −(1/π) ∫ x^k Im g²
};

class ReferenceLaw {
 public:
  /// The law of scale·S + √variance·Z. A Wishart spectrum must have a positive scale; for it the variance may be 0
  /// (Marchenko-Pastur; the atom at 0 is not a band).
  ReferenceLaw(const matrix_laws::Spectrum& spectrum, const Real& scale, const Real& variance);

  const std::vector<ReferenceBand>& bands() const { return bands_; }
  const Real& variance() const { return variance_; }
  CurvePoint point(const Real& x) const;
  Real density(const Real& x) const;
  Real cdf(const Real& x) const;
  /// The least x with P(X ≤ x) ≥ p.
  Real quantile(const Real& p) const;
  /// Moments 0 … 4, from free cumulants.
  std::array<Real, 5> moments() const;
  UpperIntegrals above(const Real& t) const;
  /// ∫ ρ³ by Gauss-Legendre panels in the angle of each band, bisected until they agree to 10⁻¹⁸.
  Real density_cubed() const;

 private:
  std::shared_ptr<const ReferenceSpectrum> spectrum_;
  Real variance_;
  Real atom_;  ///< mass at 0, beside the bands
  std::vector<ReferenceBand> bands_;
};

}  // namespace attnlaw::accuracy
