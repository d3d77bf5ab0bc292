#pragma once
/// Where the errors of a trained student come from (docs/theory/scaling.md).

#include "attnlaw/model/test_parts.h"
#include "attnlaw/theory/solution.h"

namespace attnlaw::theory {

class OutputChannel;

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
/// The weight of the modes that count as unlearned there: those of the bands of M which begin below the threshold. 1
/// for S = 0, and 0 for a student without a threshold.
double unlearned_weight(const Solution& solution, const matrix_laws::Spectrum& target);

using model::TestParts;

/// On fresh labels of noise `noise`, 0 or that of the problem; `channel` is that of the problem. Where none is given,
/// one is made on the points of the solution.
TestParts test_parts(const Solution& solution, const OutputChannel& channel, double noise);
TestParts test_parts(const Solution& solution, double noise);

const base::Description& describe(const ErrorParts*);

}  // namespace attnlaw::theory
