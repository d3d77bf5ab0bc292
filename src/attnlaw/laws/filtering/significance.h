#pragma once
/// Computes the probability that pure noise looks like a feature (docs/theory/lofi.md, section 2).

#include <cstddef>

#include "attnlaw/laws/filtering/law.h"

namespace attnlaw::laws {

/// Returns P(TW₁ > s), by a shifted Gamma law: 0.0500, 0.0098, 0.0010 at the 5, 1 and 0.1 % points.
double tracy_widom_tail(double s);
/// Returns the s of a tail in (0, 1).
double tracy_widom_quantile(double tail);

/// Returns P(pure noise puts an eigenvalue at least this high), the tail of TW₁ at (eigenvalue − E₊)(c p)^{2/3}. If the
/// edge is the atom at 0, it is 1 up to the edge and 0 above.
double outlier_p_value(const LofiEdge& edge, double eigenvalue, std::size_t p);
/// Returns the eigenvalue whose p-value is `significance`.
double outlier_threshold(const LofiEdge& edge, double significance, std::size_t p);

/// Returns P(χ² > statistic) at `degrees` > 0 of freedom.
double chi_squared_tail(double statistic, double degrees);

}  // namespace attnlaw::laws
