#pragma once
/// Everything about the map S = W_Qᵀ W_K of one head from matrices of its own size: never a d×d decomposition
/// (docs/theory/query_key_nulls.md, section 1).
///
/// ```cpp
/// #include <cstdio>
///
/// #include "attnlaw/checkpoint/inspection/factored_map.h"
///
/// const Eigen::MatrixXd query = Eigen::MatrixXd::Random(8, 64), key = Eigen::MatrixXd::Random(8, 64);
/// const auto map = attnlaw::checkpoint::factored(query, key);
/// std::printf("%.4f\n", map.singular_values.front());
/// ```

#include <Eigen/Core>
#include <span>
#include <vector>

#include "attnlaw/base/names.h"

namespace attnlaw::checkpoint {

/// How the small matrices were made.
enum class Recipe {
  gram,  ///< Cholesky factors of Gram matrices, relative error of s_i about 1e-16 (s₁/s_i)²
  qr     ///< thin QR of both factors, where that would lose digits or a Gram matrix is singular
};
std::span<const base::Named<Recipe>> names_table(Recipe);

/// The small matrices of a map, m×m unless stated otherwise.
struct FactoredMap {
  Recipe recipe = Recipe::gram;
  Eigen::Index query_dimension = 0, key_dimension = 0;
  Eigen::MatrixXd query_gram;  ///< W_Q W_Qᵀ
  Eigen::MatrixXd key_gram;    ///< W_K W_Kᵀ
  /// W_K W_Qᵀ, whose eigenvalues are those of S but for zeros; empty if queries and keys live in different spaces.
  Eigen::MatrixXd cross;
  /// R_Q R_Kᵀ with W_Qᵀ = Q_Q R_Q: it has the singular values of S.
  Eigen::MatrixXd core;
  std::vector<double> singular_values;  ///< descending, min(m, d) of them
  /// Eigenvalues of (S + Sᵀ)/2, ascending, min(2m, d) of them, the others being 0; empty as `cross`.
  std::vector<double> symmetric_eigenvalues;

  Eigen::Index m() const { return query_gram.rows(); }
  bool square() const { return cross.size() > 0; }
  /// ‖S‖² = Σ s².
  double energy() const { return (query_gram.array() * key_gram.array()).sum(); }
  double trace() const { return cross.trace(); }
  /// Tr S².
  double trace_of_square() const { return (cross.array() * cross.transpose().array()).sum(); }
};

/// Eigenvalues of both Gram matrices, ascending and none below 0.
struct FactorSpectra {
  Eigen::VectorXd query, key;
};
FactorSpectra factor_spectra(const Eigen::MatrixXd& query_gram, const Eigen::MatrixXd& key_gram);

/// Returns W Wᵀ.
Eigen::MatrixXd row_gram(const Eigen::MatrixXd& W);
Eigen::MatrixXf row_gram(const Eigen::MatrixXf& W);

/// Returns the rows of one matrix above those of another.
Eigen::MatrixXd stacked(const Eigen::MatrixXd& above, const Eigen::MatrixXd& below);

/// Returns the power of two next above the largest |entry| of a matrix whose products would leave the range of double
/// precision, 1 for all others. Factors are divided by theirs before products are taken; no digit changes.
double binary_scale(const Eigen::MatrixXd& W);

/// Takes both m×d factors; with `one_space` false S is a map between two spaces. Throws std::invalid_argument unless
/// both have as many rows, one or more, and as many columns in one space; std::runtime_error for entries that are not
/// finite.
FactoredMap factored(const Eigen::MatrixXd& query, const Eigen::MatrixXd& key, bool one_space = true);

/// The same by a chosen recipe. The Gram recipe throws std::runtime_error where a Gram matrix is singular to rounding.
FactoredMap factored_by(Recipe recipe, const Eigen::MatrixXd& query, const Eigen::MatrixXd& key, bool one_space);

/// Returns the `count` leading left and right singular vectors of S, in columns.
struct SingularVectors {
  Eigen::MatrixXd left, right;
};
SingularVectors leading_vectors(const Eigen::MatrixXd& query, const Eigen::MatrixXd& key, Eigen::Index count);

}  // namespace attnlaw::checkpoint
