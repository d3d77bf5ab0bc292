#pragma once
/// This file shows thresholds, branches of solutions and phase diagrams. A title says what they are of.

#include <optional>
#include <string>
#include <string_view>

#include "attnlaw/study/phase_diagram.h"
#include "attnlaw/theory/continuation.h"
#include "attnlaw/view/result.h"

namespace attnlaw::view {

/// Names of the regions of a phase diagram: what is so above a threshold ("recovery"), and below all of its kind. Noisy
/// labels are fitted or not, noiseless ones determine the target or do not; what is determined the posterior mean
/// recovers, and a penalised student need not.
std::string region_above(std::string_view threshold, const model::Problem& problem);
std::string region_below(std::string_view threshold);

/// Without branches the rows are the thresholds; one that does not exist has an empty alpha and its reason. With them
/// the tables also have their ends, spinodals and replicon crossings, and rows are told apart by `kind`: every point of
/// every branch, spinodals, replicon crossings. A page needs branches to draw.
Result show(const study::Thresholds& thresholds, const std::optional<theory::Continuation>& continuation,
            const std::string& title, bool draw);

/// The tables have the threshold lines, and why one of them is nowhere (the reason at the first value of the variable).
/// Rows are told apart by `kind`: every point of the plane, and the lines. The chart draws the test error over the
/// plane.
Result show(const study::PhaseDiagram& diagram, const std::string& title, bool draw);

}  // namespace attnlaw::view
