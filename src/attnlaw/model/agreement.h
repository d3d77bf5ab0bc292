#pragma once
/// Compares derivatives that somebody gives with differences.

#include <algorithm>
#include <string_view>
#include <vector>

#include "attnlaw/base/reject.h"

namespace attnlaw::model {

/// Throws std::invalid_argument unless nine of ten deviations, in units of the mean size of what is compared, are
/// accepted: at places where a function has a kink they are not. `what` begins the message, `where` names a place.
inline void require_agreement(std::vector<double> deviations, double accepted, std::string_view what,
                              std::string_view where) {
  std::sort(deviations.begin(), deviations.end());
  const double deviation = deviations[deviations.size() * 9 / 10];
  if (!(deviation <= accepted))
    base::reject("{}: at one {} in ten they deviate by {:.2g} of their mean size or more, accepted {:.0e}", what, where,
                 deviation, accepted);
}

}  // namespace attnlaw::model
