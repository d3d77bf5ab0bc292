#pragma once
/// These functions show experiments beside the theory as tables and charts.

#include <optional>
#include <span>

#include "attnlaw/report/chart.h"
#include "attnlaw/report/table.h"
#include "attnlaw/study/comparison.h"
#include "attnlaw/view/warnings.h"

namespace attnlaw::view {

/// There is one table per d with theory beside experiment, one of the spectral start where training began there, and
/// the extrapolation if there are several d.
std::vector<report::Table> comparison_tables(std::span<const study::Comparison> comparisons);
/// There is one row per instance; then come by `kind`, for every d, the theory on all its targets and the relative
/// difference, and the extrapolation if there are several d. Each has the options of its problem; `asked` is that of
/// problem_fields.
report::Table comparison_rows(std::span<const study::Comparison> comparisons, const model::Problem& asked);
/// Says what standard errors over few instances, and an extrapolation from two d, are worth.
Warnings few_samples(std::span<const study::Comparison> comparisons);
/// The chart draws relative differences against 1/d; there is none where no difference is known.
std::optional<report::Chart> difference_chart(std::span<const study::Comparison> comparisons);

}  // namespace attnlaw::view
