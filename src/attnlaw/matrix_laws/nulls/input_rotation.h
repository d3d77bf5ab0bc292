#pragma once
/// Nulls that keep the singular values of S and turn its input directions against its output directions (N3: S → O S
/// with a uniform orthogonal O; N3s: random signs of the rows of S). They ask whether what a head queries and what it
/// attends to are related (docs/theory/query_key_nulls.md, section 4).

#include <Eigen/Core>
#include <cstdint>

#include "attnlaw/matrix_laws/nulls/bartlett_table.h"
#include "attnlaw/matrix_laws/nulls/factor_rotation.h"

namespace attnlaw::matrix_laws {

/// Of τ = Tr S²/‖S‖² under N3, mean and variance exactly; s are the singular values.
Cumulants rotated_symmetry(const Eigen::VectorXd& s, int d);
/// Of Tr S under N3: mean 0, variance ‖S‖²/d.
Cumulants rotated_trace(const Eigen::VectorXd& s, int d);

/// Of Tr S² under N3s, mean and variance exactly, for S = W_Qᵀ W_K of m×d factors; work of order m d², memory of d.
Cumulants flipped_symmetry(const Eigen::MatrixXd& query, const Eigen::MatrixXd& key);

/// How many rotations bring τ and Tr S as far from their means as the given values.
struct InputRotationCounts {
  Exceedances symmetry, trace;
};
/// Draws `draws` rotations, and up to `most` where none of them comes as far. The `leading` singular values meet a
/// drawn rotation; what the others add is close to normal and drawn as such, with the variance that they have.
InputRotationCounts count_input_rotations(const Eigen::VectorXd& s, int d, double tau, double trace, std::size_t draws,
                                          std::size_t most, Eigen::Index leading, std::uint64_t seed,
                                          std::uint64_t head);

/// Returns P(|X − mean| ≥ |value − mean|) of a normal X.
double two_sided_normal(const Cumulants& null, double value);

}  // namespace attnlaw::matrix_laws
