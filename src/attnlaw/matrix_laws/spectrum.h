#pragma once
/// Represents spectral measures: the limiting or actual eigenvalue law of a symmetric matrix.

#include <memory>
#include <span>
#include <variant>
#include <vector>

#include "attnlaw/matrix_laws/atom_sums.h"
#include "attnlaw/matrix_laws/complex.h"

namespace attnlaw::matrix_laws {

/// A closed interval of the real line.
struct Interval {
  double lower = 0;
  double upper = 0;
};

/// Atoms in ascending order with positive weights that sum to 1.
struct DiscreteSpectrum {
  std::vector<double> atoms;
  std::vector<double> weights;
};

/// The Marchenko-Pastur law of scale * W Wᵀ / (√κ d) for W ∈ R^{d×κd} with iid N(0,1) entries. It has mean scale·√κ,
/// second moment scale²(1+κ), and an atom of mass 1−κ at 0 if κ < 1 (docs/theory/erm.md, section 1).
struct WishartSpectrum {
  double kappa = 1;
  double scale = 1;

  /// Returns b of the free Poisson law, G = 1/b g(z/b) with z = 1/g + κ/(1 − g).
  double jump() const;
  /// Returns the support of the density.
  Interval bulk() const;
};

/// The law of the singular values of scale * W_Q W_Kᵀ / (√κ d) and of their negatives, half of the mass each, for W_Q,
/// W_K ∈ R^{d×κd} with iid N(0,1) entries. It has second moment scale², and an atom of mass 1−κ at 0 if κ < 1. Its
/// R-transform is s² g/(1 − (s²/κ) g²), s the scale (docs/theory/cross_attention.md); the sign of the scale does not
/// matter.
struct ProductSpectrum {
  double kappa = 1;
  double scale = 1;

  /// Returns b of z = 1/g + κ g/(1 − g²), G = 1/b g(z/b): a free Poisson law of rate κ with jumps ±b.
  double jump() const;
  /// Returns the support of the density on the positive side; the lower end is 0 for κ ≥ 1.
  Interval bulk() const;
};

/// The Stieltjes transform G(w) = ∫ μ(ds)/(w − s) and its derivative at one w.
struct Stieltjes {
  Complex value;
  Complex derivative;
};

/// A probability measure on the real line with compact support: discrete, or one of two in closed form.
class Spectrum {
 public:
  Spectrum(DiscreteSpectrum discrete);  // NOLINT(google-explicit-constructor)
  Spectrum(WishartSpectrum wishart);    // NOLINT(google-explicit-constructor)
  Spectrum(ProductSpectrum product);    // NOLINT(google-explicit-constructor)

  /// Puts equal weights at the given eigenvalues (in any order, repetitions are merged). With a `precision` > 0, that
  /// of the arithmetic they come from in units of the largest, those equal within ten times that are one atom at their
  /// mean, and those so close to 0 are 0. Throws std::invalid_argument if there are none or one is not finite.
  static Spectrum from_eigenvalues(std::span<const double> eigenvalues, double precision = 0);

  double mean() const;
  double second_moment() const;
  /// Returns the law of c·x for x of this law.
  Spectrum scaled(double c) const;
  /// Returns G and G′ at w off the support.
  Stieltjes stieltjes(Complex w) const;
  /// Returns the sums over the atoms of a discrete spectrum at u + iv.
  AtomSums atom_sums(double u, double v_squared) const;
  /// Tells whether there are so many atoms that sums over them are hierarchical.
  bool hierarchical() const { return tree_ != nullptr; }
  /// Returns the sums at u = atom i and v = 0 over all other atoms.
  AtomSums atom_sums_without(std::size_t i) const;
  /// Returns the smallest interval that contains the support.
  Interval hull() const;
  /// Tells whether the law of −x is the same to the last bit.
  bool symmetric() const;

  const DiscreteSpectrum* discrete() const { return std::get_if<DiscreteSpectrum>(&law_); }
  const WishartSpectrum* wishart() const { return std::get_if<WishartSpectrum>(&law_); }
  const ProductSpectrum* product() const { return std::get_if<ProductSpectrum>(&law_); }

 private:
  std::variant<DiscreteSpectrum, WishartSpectrum, ProductSpectrum> law_;
  std::shared_ptr<const AtomTree> tree_;  ///< null for few atoms; all multiples of a spectrum share it
  double tree_scale_ = 1;                 ///< the atoms are those of the tree times this
};

/// Returns the law of ±s, both signs with half the weight, for the atoms s ≥ 0 of a discrete spectrum: so singular
/// values enter equations for symmetric matrices. A product spectrum is such a law already and is returned. Throws
/// std::invalid_argument for negative atoms and for a Wishart spectrum.
Spectrum symmetrised(const Spectrum& spectrum);

}  // namespace attnlaw::matrix_laws
