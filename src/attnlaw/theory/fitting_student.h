#pragma once
/// Trained students while labels can be fitted, by brackets (docs/theory/thresholds.md).

#include "attnlaw/matrix_laws/spectrum.h"
#include "attnlaw/model/problem.h"
#include "attnlaw/theory/channel/overlaps.h"

namespace attnlaw::theory {

/// How an output channel differs from that of labels which are fitted whatever it costs: there m̂ = c r/V, q̂ = m̂² (E +
/// Δ)/c and V̂ = m̂/r at c = 2αK_eff (αK_eff with cross-attention), r = β*/β. V ≫ 1 makes all of it small.
struct FittingChannel {
  double response = 1;  ///< m̂ V/(c r): by how much of a change of labels those of the student follow
  double excess = 0;    ///< c q̂/m̂² − E − Δ; 0 with the linear head
  double ratio = 1;     ///< r V̂/m̂; 1 with the linear head
};
FittingChannel fitting_channel(const model::Problem& problem, const matrix_laws::Spectrum& target, const Overlaps& at,
                               const Conjugates& conjugates);

/// The student at λ while such a channel stays as it is: A(a, t) = c response, E(a, t) + Δ + excess = c a², by nested
/// bracketing, which no start can lead astray; zero overlaps where the penalty keeps every eigenvalue at zero.
Overlaps fitting_overlaps(const model::Problem& problem, const matrix_laws::Spectrum& target, double lambda,
                          const FittingChannel& channel);

}  // namespace attnlaw::theory
