#pragma once
/// The equations of one trained student: both channels of a problem at one size of the point set.

#include <memory>
#include <optional>

#include "attnlaw/base/estimate.h"
#include "attnlaw/theory/evolution/fixed_point.h"
#include "attnlaw/theory/prior/numerical_prior.h"
#include "attnlaw/theory/solution.h"
#include "attnlaw/theory/thresholds.h"

namespace attnlaw::theory {

/// The conjugates have no sampling error (test errors may).
bool closed_form(const model::Problem& problem, std::optional<RidgelessPhase> phase);

/// How finely both channels of a student are resolved.
struct Resolution {
  PointRule rule;             ///< points of the output channel
  double law = kLawRounding;  ///< relative error of the integrals of the prior channel
};

class TrainedStudent {
 public:
  /// λ by problem.lambda_rule, `value` or `ridgeless`; in the latter case `phase` is that of ridgeless_phase, and not
  /// `recovered`, which has no equations left to solve. `target` must outlive it.
  TrainedStudent(const model::Problem& problem, const matrix_laws::Spectrum& target,
                 std::optional<RidgelessPhase> phase, const Resolution& resolution,
                 NumericalPrior::Approximation approximation = NumericalPrior::Approximation::none);

  /// The equations of the same problem at another λ > 0, its lambda_rule being `value`. λ enters the prior alone: the
  /// output channel and its points are shared.
  TrainedStudent at_lambda(double lambda) const;

  /// The same equations in coordinates that keep the digits of a small S − S*; none where labels are noisy, the target
  /// is out of reach, or the student has two parts or is known by sampled matrices.
  std::optional<TrainedStudent> near_target() const;

  /// The workspace belongs to the caller, who hands it on to what follows at this fixed point.
  FixedPoint find(const std::optional<Start>& start, const Tolerance& tolerance, Workspace& workspace) const {
    return find_fixed_point(map_, start, tolerance, workspace);
  }
  FixedPoint find(const std::optional<Start>& start, const Tolerance& tolerance) const {
    Workspace workspace;
    return find(start, tolerance, workspace);
  }

  const EvolutionMap& map() const { return map_; }
  const OutputChannel& channel() const { return *channel_; }
  /// The sampled matrices of the prior, if it has no law.
  const NumericalPrior* numerical_prior() const { return dynamic_cast<const NumericalPrior*>(denoiser_.get()); }

  Errors errors(const FixedPoint& fixed_point) const;
  struct Scatter {
    /// Standard errors over the replicates of the rule. Two grids may agree by chance: theirs are at least what the
    /// steps of a grid and the distance from the fixed point leave open.
    Errors errors;
    /// OutputChannel::Result::imbalance; 0 of grids, whose losses say where a minimum is the lowest.
    base::Estimate imbalance;
  };
  Scatter scatter(const FixedPoint& fixed_point, Workspace& workspace) const;
  /// Atom, bands and outliers of S.
  TrainedSpectrum spectrum(const FixedPoint& fixed_point, const Workspace& workspace) const;
  /// By how much mass and moments of the law of M miss their exact values; 0 where there is no law, or one of so many
  /// atoms that only a part of it is resolved.
  double certified_law_error(const FixedPoint& fixed_point) const;
  /// R; 0 at S = 0, NaN for a numerical prior.
  double replicon(const FixedPoint& fixed_point, Workspace& workspace) const;

 private:
  TrainedStudent(const model::Problem& problem, const matrix_laws::Spectrum& target, const Resolution& resolution,
                 NumericalPrior::Approximation approximation, double lambda, Chart::Signal signal,
                 std::shared_ptr<const OutputChannel> channel);

  /// The test error against noisy labels, given that against noiseless ones.
  double noisy_test(const Overlaps& overlaps, double test, int replicate) const;
  /// λ times what it multiplies, per d².
  double penalty(const FixedPoint& fixed_point) const;
  /// What α·train + λ·penalty lacks at a point that is not quite fixed, to first order in its residual: the free energy
  /// is stationary.
  double objective_at_the_end(const FixedPoint& at) const;
  /// The second order of what the objective owes to the motion of the fixed point with its sample, from that of
  /// replicates.
  double curvature_left(const FixedPoint& at, const std::vector<ReplicatePoint>& points) const;
  /// The Moreau envelopes of all losses, per d²: losses, and the work done on the student.
  double envelope(const Step& step, const Overlaps& overlaps) const;

  model::Problem problem_;
  Resolution resolution_;
  NumericalPrior::Approximation approximation_;
  double lambda_;  ///< as effective_lambda has it
  std::shared_ptr<const OutputChannel> channel_;
  std::unique_ptr<Denoiser> denoiser_;
  const SpectralDenoiser* spectral_;  ///< null for a numerical prior
  EvolutionMap map_;
};

/// The λ of the spectral function of a solution, in the unit of its conjugates: 1 for an interpolating ridgeless
/// student, whose conjugates are in units of λ, 0 for an overdetermined one.
double effective_lambda(const model::Problem& problem, std::optional<RidgelessPhase> phase);

/// f of a solution, given the law of its M; the identity where the student is an exact copy of the target.
SpectralFunction spectral_function(const Solution& solution, const matrix_laws::Law& noisy_target);

/// Largest relative sampling error of train, test and estimation error.
double relative_error(const Errors& error, const Errors& value);

}  // namespace attnlaw::theory
