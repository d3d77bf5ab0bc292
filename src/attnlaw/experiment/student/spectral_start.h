#pragma once
/// The first estimate of S that labels give by linear algebra alone, as a start of training (docs/theory/lofi.md,
/// section 5; what it should show of S*: model/spectral_start.h).

#include "attnlaw/experiment/student/estimate.h"
#include "attnlaw/experiment/student/objective.h"

namespace attnlaw::experiment {

/// R = (1/(αK_eff d)) Σ_μ Σ_{a≤b} z_ab A_ab, z the scores that a label shows, in units of the student: S* + aZ for
/// d → ∞. One pass through the data; with a communicator, of all processes.
template <class Real>
base::Matrix<double> label_operator(Objective<Real>& objective);

/// The start of the student of the objective's problem (model::spectral_start), a function of R; V is that of message
/// passing after one iteration from S = 0 with the g of label_messages. One eigendecomposition beside the pass.
template <class Real>
MatrixEstimate spectral_start(Objective<Real>& objective);

/// The messages g, one row per sequence, that label_operator is the sum of up to a factor.
void label_messages(const model::Problem& problem, const base::Columns<double>& labels, base::Columns<double>& g);

/// W ∈ R^{d×columns} with W Wᵀ/√(columns d) = S, for S ⪰ 0 of no larger rank. Directions in which S vanishes get a
/// small weight: those of weight zero would stay so under any gradient.
base::Matrix<double> factor_of(const base::Matrix<double>& S, Eigen::Index columns);

}  // namespace attnlaw::experiment
