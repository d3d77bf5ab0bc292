#pragma once
/// Measures a trained student on its own training set.

#include "attnlaw/experiment/student/objective.h"

namespace attnlaw::experiment {

/// Averages over the sequences of the training set, against its labels.
struct TrainingFigures {
  double loss = 0;     ///< ℓ, without penalty
  double entropy = 0;  ///< entropy of the labels; cross-entropy of soft labels only
  double squared = 0;  ///< ‖label − output‖²; soft labels only
};

/// Returns the figures of S, by one pass through the data. Every process of a divided training set must call it, and
/// gets the same.
template <class Real>
TrainingFigures training_figures(Objective<Real>& objective, const base::Matrix<double>& S);

}  // namespace attnlaw::experiment
