#pragma once
/// Warnings say what a reader must know before trusting the numbers: lack of convergence, instability.

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "attnlaw/experiment/experiment.h"
#include "attnlaw/study/phase_diagram.h"
#include "attnlaw/theory/continuation.h"
#include "attnlaw/theory/solution.h"

namespace attnlaw::view {

/// Each warning is one line; there are none if nothing is to be said.
using Warnings = std::vector<std::string>;

Warnings warnings(const theory::Solution& solution);
Warnings warnings(const experiment::Experiment& experiment);

/// Many solutions together have warnings that say how many of them, and at which values of `variable`.
Warnings warnings(std::span<const theory::Solution> curve, const std::string& variable, std::span<const double> values);

/// Of many points, which `points` names: "points of the diagram".
Warnings replicon_warnings(std::span<const double> replicons, const std::string& points);

Warnings warnings(const theory::Continuation& continuation);
Warnings warnings(const study::PhaseDiagram& diagram);

/// The sum has all of both; what is there already is not repeated.
Warnings operator+(Warnings first, const Warnings& second);

}  // namespace attnlaw::view
