#pragma once
/// Computes functions of a symmetric matrix, and of the singular values of any square one.

#include <span>
#include <vector>

#include "attnlaw/base/linear_algebra.h"
#include "attnlaw/base/matrix.h"

namespace attnlaw::experiment {

/// Returns Σ_k mapped_k v_k v_kᵀ; zeros at either end of `mapped` cost nothing.
base::Matrix<double> recompose(const base::Eigensystem& system, std::span<const double> mapped);

/// The singular values, descending, with their vectors in the columns of `left` and the rows of `right`.
using base::singular_system;
using base::SingularSystem;

/// Computes the singular values of a square matrix. Throws std::runtime_error for entries that are not finite.
std::vector<double> singular_values(base::Matrix<double> M);

/// Returns Σ_k mapped_k u_k v_kᵀ; trailing zeros of `mapped` cost nothing.
base::Matrix<double> recompose(const SingularSystem& system, std::span<const double> mapped);

}  // namespace attnlaw::experiment
