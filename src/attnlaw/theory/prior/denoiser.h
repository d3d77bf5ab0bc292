#pragma once
/// Prior channel: how a student class turns conjugates into overlaps. Students are spectral functions of M = m̂ S* + √q̂
/// Z (docs/theory/erm.md, section 2; docs/theory/students.md), but for untied self-attention (numerical_prior.h).

#include <algorithm>
#include <limits>
#include <memory>
#include <optional>
#include <vector>

#include "attnlaw/matrix_laws/law.h"
#include "attnlaw/matrix_laws/spectrum.h"
#include "attnlaw/model/problem.h"
#include "attnlaw/theory/channel/overlaps.h"

namespace attnlaw::theory {

/// A spectral function that is not straight where it is not 0.
class BentFunction {
 public:
  virtual ~BentFunction() = default;
  virtual std::vector<double> at(const std::vector<double>& x) const = 0;
  /// Derivatives; 0 where x around are taken to one s.
  virtual std::vector<double> slopes(const std::vector<double>& x) const = 0;
  /// The largest x with f(x) ≤ s.
  virtual double inverse(double s) const = 0;
  /// Where f jumps, ascending.
  virtual std::vector<double> jumps() const = 0;
  /// Where f or a derivative jumps, ascending.
  virtual std::vector<double> bends() const = 0;
};

/// f(x) = slope·(x − shift) for x > cut, else 0; or a bent function beyond the cut, or everywhere where that is −∞.
struct SpectralFunction {
  double cut = 0;
  double shift = 0;
  double slope = 1;
  std::shared_ptr<const BentFunction> bent = nullptr;

  double operator()(double x) const { return x > cut ? (bent ? above({x}).front() : slope * (x - shift)) : 0; }
  std::vector<double> at(const std::vector<double>& x) const;
  /// f at x > cut, and the limit from there at the cut itself.
  std::vector<double> above(const std::vector<double>& x) const;
  /// Derivatives at x > cut.
  std::vector<double> slopes(const std::vector<double>& x) const;
  /// The jumps of a bent function, and its bends.
  std::vector<double> jumps() const { return bent ? bent->jumps() : std::vector<double>(); }
  std::vector<double> bends() const { return bent ? bent->bends() : std::vector<double>(); }
  /// The parts above the cut of a band between places (ascending), which belong to none.
  std::vector<matrix_laws::Interval> pieces(const matrix_laws::Interval& band, const std::vector<double>& places) const;
  /// The x > cut with f(x) = s, or where f jumps over s.
  double inverse(double s) const { return bent ? bent->inverse(s) : shift + s / slope; }
};

/// Integrals over a law are taken to this relative error of its mass where nothing else is said: to rounding.
inline constexpr double kLawRounding = 1e-13;

/// Targets of so many atoms (over 2000) that what they cost is avoided where it can be.
bool many_atoms(const matrix_laws::Spectrum& target);

/// The law of M; of many atoms only its bands up to the first gap above `resolve_up_to`. Throws std::invalid_argument
/// unless q̂ > 0.
matrix_laws::Law noisy_target(const matrix_laws::Spectrum& target, const Conjugates& conjugates,
                              double resolve_up_to = std::numeric_limits<double>::infinity());

/// E[S | x] in S + √v Z for a node of its law: ∫ s μ(ds)/|w − s|² over ∫ μ(ds)/|w − s|² at w = x − v g. Equal to
/// x − 2v Re g, which cancels where S is small beside the noise.
double posterior_mean(const matrix_laws::Spectrum& spectrum, double variance, const matrix_laws::Law::Node& node);

/// Whether the signal m̂² Q* is so small beside the noise q̂ that m = E[S S*] is taken from posterior means, node by
/// node.
bool weak_signal(const matrix_laws::Spectrum& target, const Conjugates& conjugates);

/// m = E[S S*] of S = f(M): from the mean of f where m̂ = 0; of a weak signal from `posterior`, the mean of f(x)
/// E[m̂ S* | x]; else from `by_parts`, that of x f(x) less q̂ f′, where Gaussian integration by parts does not cancel.
double signal_overlap(const matrix_laws::Spectrum& target, double m_hat, double mean, double by_parts,
                      std::optional<double> posterior);

/// What a numerical prior hands on from one call to the next (numerical_prior.h).
struct PriorWorkspace;

class Denoiser {
 public:
  /// Selects one replicate, or the mean over all.
  static constexpr int kAll = -1;

  Denoiser() = default;
  Denoiser(const Denoiser&) = delete;
  Denoiser& operator=(const Denoiser&) = delete;
  virtual ~Denoiser() = default;

  /// What the law of the trained student gives.
  struct Result {
    Overlaps overlaps;
    double penalty = 0;    ///< Tr S/d, ‖S‖_*/d or ‖S‖²_F/d: what λ multiplies
    double zero_mass = 0;  ///< the atom of S at 0
    double law_error = 0;  ///< certified error of the law's mass and moments
  };
  /// A numerical prior starts from what the caller's workspace holds, if there is one, and leaves its result there: the
  /// result depends on nothing else. Exact priors have no use for it.
  virtual Result evaluate(const matrix_laws::Spectrum& target, const Conjugates& conjugates, int replicate = kAll,
                          PriorWorkspace* workspace = nullptr) const = 0;
  /// Number of independent samples that a numerical prior averages over; 1 for an exact one.
  virtual int replicates() const { return 1; }
};

/// A student that is a spectral function of M, known by its law.
class SpectralDenoiser : public Denoiser {
 public:
  /// f with S = f(M); for a general student with S_s = f(M).
  virtual SpectralFunction function(const matrix_laws::Law& noisy_target, const Conjugates& conjugates) const = 0;

  /// ∬ [(f(x)−f(y))/(x−y)]² ρρ in each sector, the prior factor of the replicon; infinite where f jumps inside a band.
  virtual Sectors squared_response(const matrix_laws::Law& noisy_target, const Conjugates& conjugates) const = 0;
};

/// Which matrices a spectral function acts on.
enum class Symmetry {
  symmetric,  ///< on eigenvalues
  general     ///< on singular values: laws are symmetrised, and f continues to x < 0 as an odd function
};

/// Sides of a law on which f is not 0: the right one, or both of a symmetrised one, where all integrals are even.
inline double sides(Symmetry symmetry) { return symmetry == Symmetry::general ? 2 : 1; }

/// f on the eigenvalues that it keeps, or on the positive side alone of a symmetrised law: singular values are there.
inline SpectralFunction kept_side(SpectralFunction f, Symmetry symmetry) {
  if (symmetry == Symmetry::general) f.cut = std::max(f.cut, 0.0);
  return f;
}

/// f(x) = (x − threshold)₊/V̂ on the largest κ-fraction of eigenvalues (κ ≥ 1: on all): the tied student with threshold
/// 2λ; on singular values the untied one with threshold λ.
class ThresholdDenoiser : public SpectralDenoiser {
 public:
  /// Integrals are taken to `tolerance`, see matrix_laws::Law::quadrature.
  explicit ThresholdDenoiser(double threshold, double width = 1, Symmetry symmetry = Symmetry::symmetric,
                             double tolerance = kLawRounding)
      : threshold_(threshold), width_(width), symmetry_(symmetry), tolerance_(tolerance) {}

  Result evaluate(const matrix_laws::Spectrum& target, const Conjugates& conjugates, int replicate = kAll,
                  PriorWorkspace* workspace = nullptr) const override;
  SpectralFunction function(const matrix_laws::Law& noisy_target, const Conjugates& conjugates) const override;
  Sectors squared_response(const matrix_laws::Law& noisy_target, const Conjugates& conjugates) const override;

 protected:
  /// What f is measured from.
  virtual double threshold(const Conjugates&) const { return threshold_; }

 private:
  double threshold_;
  double width_;
  Symmetry symmetry_;
  double tolerance_;
};

/// The student at the penalty that just trains the noise to zero, a threshold of 2√q̂ (docs/theory/scaling.md).
class EdgeDenoiser final : public ThresholdDenoiser {
 public:
  explicit EdgeDenoiser(double width = 1, Symmetry symmetry = Symmetry::symmetric, double tolerance = kLawRounding)
      : ThresholdDenoiser(0, width, symmetry, tolerance) {}

 protected:
  double threshold(const Conjugates& conjugates) const override { return 2 * std::sqrt(conjugates.q_hat); }
};

/// f(x) = x/(V̂ + stiffness): element-wise training of S with a Frobenius penalty, of stiffness 4λ in self-attention and
/// 2λ with cross-attention. A general S of self-attention has an antisymmetric part with the same penalty.
class LinearDenoiser final : public SpectralDenoiser {
 public:
  explicit LinearDenoiser(double stiffness) : stiffness_(stiffness) {}

  Result evaluate(const matrix_laws::Spectrum& target, const Conjugates& conjugates, int replicate = kAll,
                  PriorWorkspace* workspace = nullptr) const override;
  SpectralFunction function(const matrix_laws::Law& noisy_target, const Conjugates& conjugates) const override;
  Sectors squared_response(const matrix_laws::Law& noisy_target, const Conjugates& conjugates) const override;

 private:
  double stiffness_;
};

Symmetry symmetry_of(const model::Problem& problem);

/// The denoiser of the student of `problem` at penalty `lambda` ≥ 0, integrals to `tolerance`. Throws
/// std::invalid_argument for the students bayes, and untied in self-attention, which is no spectral function.
std::unique_ptr<SpectralDenoiser> make_denoiser(const model::Problem& problem, double lambda,
                                                double tolerance = kLawRounding);

}  // namespace attnlaw::theory
