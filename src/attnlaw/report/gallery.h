#pragma once
/// Many small spectra over one law: panels that are drawn when a reader opens them, so that a page of a thousand stays
/// small.

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "attnlaw/report/chart.h"
#include "attnlaw/report/table.h"

namespace attnlaw::report {

/// A folded panel: the values of its spectrum, those that stand out, and its own table.
struct SpectrumPanel {
  std::string title;
  std::vector<double> values = {};
  int outliers = 0;  ///< so many of the first values are marked
  Table table = {};
};

struct SpectrumGallery {
  std::string value = "singular value";  ///< what a value is called, with its unit
  std::string description = {};          ///< one or two sentences for screen readers
  std::vector<Point> density = {};       ///< of the law that all panels are drawn over, ascending x
  std::vector<SpectrumPanel> panels = {};
};

/// Returns the specification that all panels share; a panel puts its values in the dataset "values".
nlohmann::json gallery_spec(const SpectrumGallery& gallery);
/// Returns what the page makes the rows of that dataset of: {"outliers": so many of the first, "values": [...]}.
nlohmann::json panel_values(const SpectrumPanel& panel);

}  // namespace attnlaw::report
