#pragma once
/// Estimates S from the labels by linear algebra alone, as a start of training (docs/theory/lofi.md, section 5).
/// model/spectral_start.h predicts how much of S* it shows.

#include "attnlaw/experiment/student/estimate.h"
#include "attnlaw/experiment/student/objective.h"

namespace attnlaw::experiment {

/// Returns R = (1/(αK_eff d)) Σ_μ Σ_{a≤b} z_ab A_ab, z the scores that a label shows, in units of the student; it is S*
/// + aZ for d → ∞. This is one pass through the data; with a communicator all processes must call it.
template <class Real>
base::Matrix<double> label_operator(Objective<Real>& objective);

/// Returns the start of the objective's student (model::spectral_start), a function of R. Its V is that of message
/// passing after one iteration from S = 0 with the g of label_messages. It takes one eigendecomposition beside the
/// pass.
template <class Real>
MatrixEstimate spectral_start(Objective<Real>& objective);

/// Computes the messages g, one row per sequence, whose sum is label_operator up to a factor.
void label_messages(const model::Problem& problem, const base::Columns<double>& labels, base::Columns<double>& g);

/// Returns W ∈ R^{d×columns} with W Wᵀ/√(columns d) = S, for S ⪰ 0 of no larger rank. Directions in which S vanishes
/// get a small weight, because no gradient would ever change a weight of zero.
base::Matrix<double> factor_of(const base::Matrix<double>& S, Eigen::Index columns);

}  // namespace attnlaw::experiment
