#pragma once
/// The charts of a study from its outcomes (docs/figures.md).

#include <vector>

#include "attnlaw/report/page.h"
#include "attnlaw/study/study.h"
#include "warnings.h"

namespace attnlaw::app {

struct FigureCharts {
  /// In the order of Study::charts; a request for spectra becomes one for each predicted density. What is left out of a
  /// chart is said in its text.
  std::vector<report::Section> sections;
  /// What is missing, failed or did not converge, over all charts.
  Warnings warnings;
  /// Nothing that a chart needs is missing: every task of its parts has figures, those of the theory converged.
  bool complete = true;
};

/// Throws std::invalid_argument if a chart asks for what its parts do not have: a part, an axis or figures that no
/// outcome has; for a map, fewer than two values on an axis.
FigureCharts figure_charts(const study::Study& study, const study::Outcomes& outcomes);

}  // namespace attnlaw::app
