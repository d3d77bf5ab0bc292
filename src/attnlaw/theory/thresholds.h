#pragma once
/// Where perfect recovery and interpolation begin and end (docs/theory/thresholds.md).

#include <nlohmann/json_fwd.hpp>
#include <optional>

#include "attnlaw/matrix_laws/spectrum.h"
#include "attnlaw/model/problem.h"
#include "attnlaw/theory/channel/overlaps.h"

namespace attnlaw::theory {

using base::name;

/// Above alpha the ridgeless student is the target itself, from labels without noise: alpha = D/(2 K_eff), or D/K_eff
/// with cross-attention.
struct Recovery {
  double alpha = 0;
  double D = 0;  ///< statistical dimension of the student class at the target, per d²/2 (d²)
  double t = 0;  ///< where the minimum that defines D is: the threshold 2λ/m̂ (λ/m̂) in units of the effective noise √q̂/m̂
};

/// Below alpha the ridgeless student fits every label. a is the effective noise √q̂/m̂ there, infinite where S is all
/// noise.
struct Interpolation {
  double alpha = 0;
  double a = 0;
};
const base::Description& describe(const Recovery*);
const base::Description& describe(const Interpolation*);

/// Nothing where the student class cannot represent the target: eigenvalues below 0, or a rank beyond the width.
/// The untied student of cross-attention represents every target. Throws std::invalid_argument unless has_ridgeless, as
/// do the other functions of problems in the limit.
std::optional<Recovery> recovery(const model::Problem& problem, const matrix_laws::Spectrum& target);

/// Fraction of nonzero eigenvalues of a positive semidefinite target, nothing for one with negative eigenvalues;
/// fraction of nonzero singular values of the target of cross-attention. `target` is problem.target_law() or like it.
std::optional<double> target_rank(const model::Problem& problem, const matrix_laws::Spectrum& target);

/// 2 K_eff, or K_eff with cross-attention: what a sequence more fixes of a student, in degrees of freedom of S.
double fitted_scores(const model::Problem& problem);

/// E/a² of a student at λ = edge where the effective noise a is far below the eigenvalues of a target of rank r d. The
/// threshold 2a takes all noise but that in the part r² + 2r(1 − r) of the entries, which touch the range of the
/// target, and takes 2a off each of the r d eigenvalues, too: r² + 2r(1 − r) + 4r.
double edge_dimension(double rank);

/// Nothing where labels can be fitted at any alpha: noiseless ones of a target that the student can represent.
std::optional<Interpolation> interpolation(const model::Problem& problem, const matrix_laws::Spectrum& target);

/// Where `interpolation` tends to as the noise of labels vanishes, α = [1 − (1 − κ*)²/2]/(2K_eff) at rank κ*: half of
/// the semicircle that any noise makes of the zeros of the target is fitted, too. Of tied students of full width with a
/// target ⪰ 0; that of others does not depend on the noise.
std::optional<double> interpolation_limit(const model::Problem& problem, const matrix_laws::Spectrum& target);

/// What a ridgeless student does at problem.alpha.
enum class RidgelessPhase {
  interpolating,   ///< fits every label; V ~ 1/λ
  recovered,       ///< S = S*
  overdetermined,  ///< cannot fit every label; the equations at λ = 0
};
RidgelessPhase ridgeless_phase(const model::Problem& problem, const matrix_laws::Spectrum& target);
std::span<const base::Named<RidgelessPhase>> names_table(RidgelessPhase);

/// The interpolating student: the two equations A(a, t) = 2αK_eff, E(a, t) + Δ = 2αK_eff a² (αK_eff with
/// cross-attention) by nested bracketing, which no start can lead astray. V in units of 1/λ. Problem in the
/// interpolating phase.
Overlaps interpolating_overlaps(const model::Problem& problem, const matrix_laws::Spectrum& target);

/// The ridgeless equations are available: for labels that are linear conditions on S when fitted, and students that
/// threshold one noisy matrix or shrink it (direct).
bool has_ridgeless(const model::Problem& problem);
/// Throws std::invalid_argument where they are not.
void require_ridgeless(const model::Problem& problem);

}  // namespace attnlaw::theory
