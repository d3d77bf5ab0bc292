#pragma once
/// These functions show the spectrum of the trained S as tables and charts.

#include <span>
#include <string>

#include "attnlaw/report/chart.h"
#include "attnlaw/report/table.h"
#include "attnlaw/study/spectrum_comparison.h"
#include "attnlaw/theory/square_roots.h"

namespace attnlaw::view {

/// The spectrum of S has an "eigenvalue", or with cross-attention a "singular value": this is the word for people …
std::string spectral_value(const model::Problem& problem);
/// … and this is the identifier of CSV.
std::string spectral_value_id(const model::Problem& problem);

/// Throws std::invalid_argument for the students whose spectrum has no law: bayes, and untied of self-attention.
void require_spectral_law(const model::Problem& problem);

/// The description of a chart of the trained S follows from what it draws.
report::Chart trained_spectrum_chart(report::SpectrumChart chart);
/// The share of values up to each one: the law as a line, so many of those measured as points.
report::Chart cumulative_chart(const theory::Solution& solution, const theory::TrainedLaw::Curve& density,
                               const study::SpectrumComparison& measured);

/// The chart shows the law, and measured eigenvalues if there are any.
report::Chart spectrum_chart(const theory::Solution& solution, const theory::TrainedLaw::Curve& density,
                             const study::SpectrumComparison* measured);
/// Turns the chart of values s into one of their square roots.
void take_square_roots(report::SpectrumChart& chart, const theory::SquareRoots& roots);
/// The chart shows the singular values of W of a tied student, in units of √d.
report::Chart weights_chart(const theory::Solution& solution, const theory::TrainedLaw::Curve& density,
                            const study::SpectrumComparison* measured);
report::Table spectrum_table(const theory::Solution& solution, const study::SpectrumComparison* measured);
/// The measures of collapse stand in one row.
report::Table collapse_table(const theory::Collapse& collapse);
/// Rows are told apart by `kind`: density along the bands, predicted outliers, measured eigenvalues of all instances.
report::Table spectrum_rows(const theory::Solution& solution, const theory::TrainedLaw::Curve& density,
                            const study::SpectrumComparison* measured);

/// The rows have collapse measures, largest eigenvalue and number of outliers along a line of problems.
report::Table collapse_rows(std::span<const theory::Solution> curve, const std::string& variable,
                            std::span<const double> values);
/// The table has the same rows under headings for people.
report::Table collapse_table(std::span<const theory::Solution> curve, const std::string& variable,
                             std::span<const double> values);
report::Chart collapse_chart(std::span<const theory::Solution> curve, const std::string& variable,
                             std::span<const double> values);
/// Returns the upper end of the spectrum of S; 0 for S = 0.
double largest_eigenvalue(const theory::Solution& solution);

}  // namespace attnlaw::view
