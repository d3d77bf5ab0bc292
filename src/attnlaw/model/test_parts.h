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

  /// The least E_⊥/Q* of which a difference of test errors tells a price: it leaves it ten digits of sixteen.
  static constexpr double kTelling = 1e-6;

  /// Returns the parts of a test error: `whole` is G(E_⊥, c), `aligned` G(0, c); `along` is c² Q*. Of a student with a
  /// smaller orthogonal error than kTelling no price is known, and 0 stands for it; the sum is exact all the same.
  static TestParts of(double whole, double aligned, double floor, double orthogonal, double along, double Q_star) {
    TestParts parts{.floor = floor};
    parts.price = orthogonal > 0 && orthogonal >= kTelling * Q_star ? (whole - aligned) / orthogonal : 0;
    parts.amplitude = whole - floor - parts.price * (orthogonal + along);
    return parts;
  }
};

const base::Description& describe(const TestParts*);

}  // namespace attnlaw::model
