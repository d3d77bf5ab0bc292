#pragma once
/// How experiments beside the theory read as tables and charts.

#include <optional>
#include <span>

#include "attnlaw/report/chart.h"
#include "attnlaw/report/table.h"
#include "attnlaw/study/comparison.h"
#include "attnlaw/view/warnings.h"

namespace attnlaw::view {

/// Theory beside experiment, one table per d, with one of the spectral start where training began there, and the
/// extrapolation if there are several d.
std::vector<report::Table> comparison_tables(std::span<const study::Comparison> comparisons);
/// One row per instance; then by `kind`, for every d the theory on all its targets and the relative difference, and the
/// extrapolation if there are several d. Each has the options of its problem; `asked` as in problem_fields.
report::Table comparison_rows(std::span<const study::Comparison> comparisons, const model::Problem& asked);
/// What standard errors over few instances, and an extrapolation from two d, are worth.
Warnings few_samples(std::span<const study::Comparison> comparisons);
/// Relative differences against 1/d; nothing where there are none.
std::optional<report::Chart> difference_chart(std::span<const study::Comparison> comparisons);

}  // namespace attnlaw::view
