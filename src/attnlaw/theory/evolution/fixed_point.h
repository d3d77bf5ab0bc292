#pragma once
/// Fixed point of the state evolution (docs/theory/erm.md, section 2).

#include <Eigen/Core>
#include <algorithm>
#include <optional>
#include <vector>

#include "attnlaw/matrix_laws/spectrum.h"
#include "attnlaw/theory/channel/output_channel.h"
#include "attnlaw/theory/evolution/budget.h"
#include "attnlaw/theory/evolution/search.h"
#include "attnlaw/theory/prior/numerical_prior.h"

namespace attnlaw::theory {

/// What steps that follow each other hand on from one to the next: proximal points, and the students of a numerical
/// prior. It belongs to one map, or to one path of maps (ChannelWorkspace::begin_another); it changes what a step
/// costs, and which of several minima of nearly equal value are found.
struct Workspace {
  ChannelWorkspace channel;
  PriorWorkspace prior;
  const Budget* budget = nullptr;  ///< where it is spent searches for a fixed point end; none: they take their time

  bool late() const {
    constexpr double kAlways = 0.5;  // seconds, within which easy problems find a first answer
    return budget && !budget->allows(0) && budget->spent() > kAlways;
  }
};

/// One state-evolution step and everything seen on the way.
struct Step {
  Conjugates conjugates;
  double train = 0;        ///< loss per training sequence
  double several = 0;      ///< OutputChannel::Result::several
  double imbalance = 0;    ///< OutputChannel::Result::imbalance
  Denoiser::Result prior;  ///< prior.overlaps are the new overlaps
};

/// x of overlaps with q, V > 0: (log q/Q*, y, log V), or (y, z, log V) close to the target, with (log q_a, log V_a) in
/// addition where the student has an antisymmetric part.
using Coordinates = Eigen::VectorXd;

/// How overlaps are written as coordinates, in units of Q* for q and m.
struct Chart {
  enum class Signal {
    correlation,  ///< y = artanh(m/√(q Q*)): no point lies outside the domain m² < q Q*
    error,  ///< y = ½ log(E₋/E) with E₋ = ‖S + S*‖²/d at m = √(q Q*), less E: E keeps its digits close to S*. For
            ///< maps that depend on E and V alone, as points may have m² > q Q*
    deviation  ///< y = artanh((m − Q*)/√(Q* E)) and z = ½ log(Q*/E): close to S* all digits of S − S* are kept
  };
  double Q_star;
  Signal signal = Signal::correlation;

  Coordinates coordinates(const Overlaps& overlaps) const;
  Overlaps overlaps(const Coordinates& x) const;
};

/// The map overlaps -> conjugates -> overlaps. Holds references: channel, denoiser and target must outlive it.
class EvolutionMap {
 public:
  EvolutionMap(const OutputChannel& channel, const Denoiser& denoiser, const matrix_laws::Spectrum& target,
               Chart::Signal signal = Chart::Signal::correlation)
      : channel_(channel), denoiser_(denoiser), target_(target), chart_{target.second_moment(), signal} {}

  Step step(const Overlaps& overlaps, int replicate = OutputChannel::kAll, Workspace* workspace = nullptr) const;
  /// The second half of a step, from what the output channel gave.
  Step step_from(const OutputChannel::Result& output, int replicate = OutputChannel::kAll,
                 Workspace* workspace = nullptr) const;
  /// Independent replicates of both channels; 1 where neither has any sampling error.
  int replicates() const { return std::max(channel_.replicates(), denoiser_.replicates()); }
  /// The step from S = 0. Its overlaps are zero iff S = 0 is trained.
  Step step_from_zero(Workspace* workspace = nullptr, int replicate = OutputChannel::kAll) const;

  const matrix_laws::Spectrum& target() const { return target_; }
  const Chart& chart() const { return chart_; }

 private:
  const OutputChannel& channel_;
  const Denoiser& denoiser_;
  const matrix_laws::Spectrum& target_;
  Chart chart_;
};

using Slope = MapSlope<Coordinates>;

struct FixedPoint {
  Overlaps overlaps;
  Step step;                   ///< the step taken at `overlaps`
  std::optional<Slope> slope;  ///< as the solver knows it near `overlaps`; none for S = 0
  double residual = 0;         ///< max |F(x) − x| at `overlaps`; 0 for S = 0
  double distance = 0;         ///< estimated distance of x from the fixed point, |slope⁻¹ (F(x) − x)|
  int iterations = 0;          ///< evaluations of the map
  bool converged = false;      ///< residual within Tolerance::accepted
};

/// The slope of F(x) − x at a fixed point, by differences to one side: to about 1e-4, with half the evaluations of
/// exact_slope.
Slope forward_slope(const EvolutionMap& map, const FixedPoint& at, Workspace& workspace);

/// The slope of F(x) − x at x, by differences to either side: to about 1e-6.
Slope exact_slope(const EvolutionMap& map, const Overlaps& overlaps, Workspace& workspace);

/// Damped iteration stays at the fixed point: no eigenvalue of the slope of F(x) − x has a positive real part. Where
/// the solver's own slope says otherwise it is replaced by one from differences. True for S = 0.
bool is_stable(const EvolutionMap& map, FixedPoint& fixed_point);

/// The solver aims at `aimed`. Where the map is not smooth on its finite point set (proximal points that jump) it may
/// stall before; a residual up to `accepted` still counts as converged.
struct Tolerance {
  double aimed = 1e-8;
  double accepted = 1e-6;
};

/// Where to start: overlaps with q, V > 0 and, if known, the slope there (of a coarser point set, say).
struct Start {
  Overlaps overlaps;
  std::optional<Slope> slope;
};

/// Solves from `start`, or from S = 0 as message passing does (the uninformed start): damped iteration to get near,
/// then Broyden's method. S = 0 itself is returned, with zero overlaps, where the penalty keeps every eigenvalue at
/// zero. A start without a slope that leads nowhere (to S = 0, say) is dropped for the uninformed one. `workspace` ends
/// up with what belongs to the last point that was tried.
FixedPoint find_fixed_point(const EvolutionMap& map, const std::optional<Start>& start, const Tolerance& tolerance,
                            Workspace& workspace);

/// What a replicate alone would have given.
struct ReplicatePoint {
  Overlaps overlaps;
  double train = 0;
  Step step;  ///< of the replicate at the fixed point of all
};

/// The fixed points x_r of the map on each replicate alone, to first order around a fixed point of the full map by its
/// slope: x_r = x − slope⁻¹ (F_r(x) − x). Where that leads far, as close to S = 0, they are solved for; zero overlaps
/// are the student S = 0 of a replicate. Their spread is the sampling error. Needs fixed_point.slope.
std::vector<ReplicatePoint> replicate_fixed_points(const EvolutionMap& map, const FixedPoint& fixed_point,
                                                   Workspace& workspace);

}  // namespace attnlaw::theory
