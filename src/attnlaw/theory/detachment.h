#pragma once
/// Where the learned directions leave the rest of the trained spectrum (docs/theory/thresholds.md, section
/// "Thresholds").

#include <optional>
#include <string>

#include "attnlaw/base/describe.h"
#include "attnlaw/theory/solve.h"

namespace attnlaw::theory {

/// From alpha on, the trained spectrum has an upper bulk of its own: TrainedSpectrum::upper_mass is a number above it
/// and none below.
struct Detachment {
  double alpha = 0;
  double a = 0;           ///< effective noise √q̂/m̂ just above; 0 where the student is the target there
  double upper_mass = 0;  ///< of the spectrum just above
};
const base::Description& describe(const Detachment*);

struct DetachmentSearch {
  std::optional<Detachment> found;
  std::string none;       ///< why there is none; empty if there is one
  bool converged = true;  ///< every solution that was asked for is known
};

/// The detachment at the λ of the problem, whose alpha is not read: by bisection to a relative 1e-5 over solutions from
/// S = 0, some twenty of them. Between two neighbours of a ladder of α of ratio √2, without an upper bulk and with one:
/// upwards from where four times as many scores are seen as S has entries, or downwards if the bulk is detached there.
/// `options` are those of each solution, time_limit that of all.
DetachmentSearch detachment(const model::Problem& problem, const matrix_laws::Spectrum& target,
                            const SolveOptions& options = {});

}  // namespace attnlaw::theory
