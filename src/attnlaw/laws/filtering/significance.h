#pragma once
/// The probability that pure noise looks like a feature (docs/theory/lofi.md, section 2).

#include <cstddef>

#include "attnlaw/laws/filtering/law.h"

namespace attnlaw::laws {

/// P(TW₁ > s), by a shifted Gamma law: 0.0500, 0.0098, 0.0010 at the 5, 1 and 0.1 % points.
double tracy_widom_tail(double s);
/// The s of a tail in (0, 1).
double tracy_widom_quantile(double tail);

/// P(pure noise puts an eigenvalue at least this high): the tail of TW₁ at (eigenvalue − E₊)(c p)^{2/3}. 1 at
/// and below an edge that is the atom at 0, 0 above it.
double outlier_p_value(const LofiEdge& edge, double eigenvalue, std::size_t p);
/// The eigenvalue whose p-value is `significance`.
double outlier_threshold(const LofiEdge& edge, double significance, std::size_t p);

/// P(χ² > statistic) at `degrees` > 0 of freedom.
double chi_squared_tail(double statistic, double degrees);

}  // namespace attnlaw::laws
