#pragma once
/// Where the errors of a trained student come from (docs/theory/scaling.md).

#include "attnlaw/theory/channel/output_channel.h"
#include "attnlaw/theory/solution.h"

namespace attnlaw::theory {

/// The estimation error by its origin; the parts sum to it. A direct student learns no modes: it shrinks all alike, and
/// the rest is noise.
struct ErrorParts {
  double unlearned = 0;     ///< Σ s² of target modes that stay inside the bulk
  double shrinkage = 0;     ///< learned modes: eigenvalues too small, Σ (s − s_student)²
  double misalignment = 0;  ///< learned modes: eigenvectors off
  double bulk = 0;          ///< the trained part of the bulk: noise that is fitted, less the signal in it

  double sum() const { return unlearned + shrinkage + misalignment + bulk; }
};

/// Of a student of a discrete target.
ErrorParts error_parts(const Solution& solution, const matrix_laws::Spectrum& target);

/// The test error by its origin: test = floor + price · E + amplitude, where the parts of E have the same price.
///
/// Scores of the target and of a student are jointly Gaussian, so that the test error is a function G of two numbers:
/// c = m/Q* − 1 and the error that is orthogonal to the target, E_⊥ = q − m²/Q*; E = c² Q* + E_⊥.
struct TestParts {
  double floor = 0;      ///< G(0, 0), the test error of the target itself: that of the labels' noise
  double price = 0;      ///< [G(E_⊥, c) − G(0, c)]/E_⊥, of an error orthogonal to the target
  double amplitude = 0;  ///< G(0, c) − G(0, 0) − price c² Q*: an error along the target costs so much less, or more
};

/// On fresh labels of noise `noise`, 0 or that of the problem; `channel` is that of the problem.
TestParts test_parts(const Solution& solution, const OutputChannel& channel, double noise);

const base::Description& describe(const ErrorParts*);
const base::Description& describe(const TestParts*);

}  // namespace attnlaw::theory
