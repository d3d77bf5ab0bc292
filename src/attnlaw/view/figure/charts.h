#pragma once
/// The charts of a study are drawn from its outcomes (docs/figures.md).

#include <vector>

#include "attnlaw/report/page.h"
#include "attnlaw/study/study.h"
#include "attnlaw/view/warnings.h"

namespace attnlaw::view {

struct FigureCharts {
  /// The sections stand in the order of Study::charts; a request for spectra becomes one for each predicted density.
  /// What is left out of a chart is said in its text.
  std::vector<report::Section> sections;
  /// They name what is missing, failed or did not converge, over all charts, and charts that cannot be drawn.
  Warnings warnings;
  /// It says whether every chart is drawn and nothing that it needs is missing: every task of its parts has figures,
  /// those of the theory converged.
  bool complete = true;
};

/// This is to be asked before a study is computed. Throws std::invalid_argument for a chart that no outcomes could
/// make: a part that there is not, an axis without numbers, different problems at one point, a map of fewer than two
/// values along an axis, spectra without a density.
void require_drawable(const study::Study& study);

/// A chart that cannot be drawn, because no result has its figures, is a section that says so. Throws
/// std::invalid_argument for a part that there is not.
FigureCharts figure_charts(const study::Study& study, const study::Outcomes& outcomes);

}  // namespace attnlaw::view
