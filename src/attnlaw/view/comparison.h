#pragma once
/// This file shows experiments beside the theory, one problem or a learning curve.

#include <span>
#include <string>

#include "attnlaw/study/comparison.h"
#include "attnlaw/study/resolve.h"
#include "attnlaw/view/result.h"

namespace attnlaw::view {

/// There is one table per d with theory beside experiment, one of the spectral start where training began there, and
/// the extrapolation if there are several d. There is one row per instance; then come by `kind`, for every d, the
/// theory on all its targets and the relative difference, and the extrapolation. Each has the options of its problem;
/// `asked` is that of problem_fields. Warnings say what few instances are worth, then come the notes. The chart draws
/// differences against 1/d.
Result show(const study::Trainable& trained, std::span<const study::Comparison> comparisons,
            const model::Problem& asked, const Warnings& notes, bool draw);

/// One sentence says what the differences mean: whether they vanish as 1/d → 0, or what is to be done to know. It is
/// empty where none is known.
std::string verdict(std::span<const study::Comparison> comparisons);

/// The chart draws train, test and estimation error against α: solutions as lines, comparisons as points.
report::Chart learning_curve_chart(std::span<const theory::Solution> curve, std::span<const study::Comparison> points);
report::Table learning_curve_table(std::span<const theory::Solution> curve, std::span<const study::Comparison> points);

}  // namespace attnlaw::view
