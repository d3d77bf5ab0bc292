#pragma once
/// The tasks that a chart is drawn of, and what of them is missing.

#include <string>
#include <vector>

#include "figure_numbers.h"

namespace attnlaw::app {

/// The tasks of the parts that a chart asks for, in order. Throws std::invalid_argument for a part that there is not.
std::vector<Item> items_of(const study::Study& study, const study::Outcomes& outcomes,
                           const study::ChartRequest& request);

/// Tasks that a chart cannot draw, or that a reader must know about.
struct Gaps {
  std::size_t missing = 0;  ///< not computed
  std::size_t failed = 0;
  std::string error;                        ///< of the first that failed
  std::size_t unconverged = 0;              ///< of theory: left out
  std::size_t unconverged_experiments = 0;  ///< drawn

  bool complete() const { return missing + failed + unconverged == 0; }
  /// One line for each kind; empty if there is nothing to say.
  std::vector<std::string> lines() const;
};
Gaps gaps_of(const std::vector<Item>& items);

/// Whether a chart may show the figures: they are there and, if of theory, converged.
bool usable(const Item& item);

/// The axes that tell the series of a curves chart apart: those of the request or, if it names none, every other axis
/// of its parts that takes several values at one x; the part where that is not enough.
std::vector<std::string> series_axes(const study::ChartRequest& request, const std::vector<Item>& items);

}  // namespace attnlaw::app
