#pragma once
/// Where a test error comes from (docs/theory/scaling.md).

#include "attnlaw/base/describe.h"

namespace attnlaw::model {

/// The test error by its origin: test = floor + price · E + amplitude, where all parts of the estimation error E have
/// the same price.
///
/// Scores of the target and of a student are jointly Gaussian, so that the test error is a function G of two numbers:
/// c = m/Q* − 1 and the error that is orthogonal to the target, E_⊥ = E − c² Q*.
struct TestParts {
  double floor = 0;      ///< G(0, 0), the test error of the target itself: that of the labels' noise
  double price = 0;      ///< [G(E_⊥, c) − G(0, c)]/E_⊥, of an error orthogonal to the target
  double amplitude = 0;  ///< G(0, c) − G(0, 0) − price c² Q*: an error along the target costs so much less, or more

  /// Returns the parts of a test error: `whole` is G(E_⊥, c), `aligned` G(0, c); `along` is c² Q*. A student without an
  /// orthogonal error has no price.
  static TestParts of(double whole, double aligned, double floor, double orthogonal, double along) {
    TestParts parts{.floor = floor};
    parts.price = orthogonal > 0 ? (whole - aligned) / orthogonal : 0;
    parts.amplitude = aligned - floor - parts.price * along;
    return parts;
  }
};

const base::Description& describe(const TestParts*);

}  // namespace attnlaw::model
