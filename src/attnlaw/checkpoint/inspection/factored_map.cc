#include "attnlaw/checkpoint/inspection/factored_map.h"

#include <Eigen/Cholesky>
#include <Eigen/QR>
#include <algorithm>
#include <cmath>
#include <optional>
#include <stdexcept>

#include "attnlaw/base/index.h"
#include "attnlaw/base/linear_algebra.h"
#include "attnlaw/base/matrix.h"
#include "attnlaw/base/reject.h"
#include "attnlaw/matrix_laws/nulls/small_eigenvalues.h"

namespace attnlaw::checkpoint {
namespace {

using Eigen::Index;
using Eigen::MatrixXd;

/// The Gram recipe squares the condition number: below this ratio it has lost 10 of 16 digits, and QR takes over.
constexpr double kLeastRatio = 1e-5;

/// The lower Cholesky factor, or nothing for a matrix that is singular to rounding.
std::optional<MatrixXd> cholesky(const MatrixXd& G) {
  const Eigen::LLT<MatrixXd> factor(G);
  if (factor.info() != Eigen::Success) return std::nullopt;
  const Eigen::VectorXd diagonal = factor.matrixLLT().diagonal();
  if (!(diagonal.minCoeff() > kLeastRatio * diagonal.maxCoeff())) return std::nullopt;
  return MatrixXd(factor.matrixL());
}

template <class Matrix>
Matrix gram_of(const Matrix& W) {
  Matrix G = Matrix::Zero(W.rows(), W.rows());
  G.template selfadjointView<Eigen::Lower>().rankUpdate(W);
  return G.template selfadjointView<Eigen::Lower>();
}

/// R of a thin QR.
MatrixXd upper(const Eigen::HouseholderQR<MatrixXd>& qr) {
  return qr.matrixQR().topRows(std::min(qr.rows(), qr.cols())).triangularView<Eigen::Upper>();
}

/// R of the thin QR of Wᵀ.
MatrixXd right_factor(const MatrixXd& W) { return upper(Eigen::HouseholderQR<MatrixXd>(W.transpose())); }

std::vector<double> values_of(MatrixXd core) {
  return base::singular_values({core.data(), base::size(core.size())}, base::size(core.cols()),
                               base::size(core.rows()));
}

/// Eigenvalues of (A Bᵀ + B Aᵀ)/2.
std::vector<double> symmetric_values(const MatrixXd& A, const MatrixXd& B) {
  const MatrixXd half = 0.5 * (A * B.transpose());
  return matrix_laws::eigenvalues_of_symmetric(half + half.transpose());
}

void fill_symmetric_by_qr(const MatrixXd& query, const MatrixXd& key, FactoredMap& map) {
  const MatrixXd R = right_factor(stacked(query, key));
  map.symmetric_eigenvalues = symmetric_values(R.leftCols(query.rows()), R.rightCols(query.rows()));
}

void fill_grams(const MatrixXd& query, const MatrixXd& key, bool one_space, FactoredMap& map) {
  map.query_dimension = query.cols();
  map.key_dimension = key.cols();
  map.query_gram = row_gram(query);
  map.key_gram = row_gram(key);
  if (one_space) map.cross.noalias() = key * query.transpose();
}

/// Fills what depends on singular values; false where Gram matrices have lost the digits.
bool fill_core_by_gram(FactoredMap& map) {
  const auto query = cholesky(map.query_gram), key = cholesky(map.key_gram);
  if (!query || !key) return false;
  map.core = query->transpose() * *key;
  map.singular_values = values_of(map.core);
  return map.singular_values.back() > kLeastRatio * map.singular_values.front();
}

bool fill_symmetric_by_gram(FactoredMap& map) {
  const Index m = map.m();
  if (2 * m > map.query_dimension) return false;
  MatrixXd G(2 * m, 2 * m);
  G << map.query_gram, map.cross.transpose(), map.cross, map.key_gram;
  const auto L = cholesky(G);
  if (!L) return false;
  map.symmetric_eigenvalues = symmetric_values(L->topRows(m).transpose(), L->bottomRows(m).transpose());
  return true;
}

void fill_core_by_qr(const MatrixXd& query, const MatrixXd& key, FactoredMap& map) {
  map.recipe = Recipe::qr;
  map.core = right_factor(query) * right_factor(key).transpose();
  map.singular_values = values_of(map.core);
}

void require_factors(const MatrixXd& query, const MatrixXd& key, bool one_space) {
  if (query.rows() < 1 || query.rows() != key.rows())
    base::reject("the factors of a map have as many rows, got {} and {}", query.rows(), key.rows());
  if (query.cols() < 1 || key.cols() < 1 || (one_space && query.cols() != key.cols()))
    base::reject("the factors of a map in one space have as many columns, got {} and {}", query.cols(), key.cols());
  if (!query.allFinite() || !key.allFinite()) throw std::runtime_error("a head has weights that are not finite");
}

}  // namespace

std::span<const base::Named<Recipe>> names_table(Recipe) {
  static constexpr base::Named<Recipe> kRecipes[] = {{Recipe::gram, "gram"}, {Recipe::qr, "qr"}};
  return kRecipes;
}

FactorSpectra factor_spectra(const MatrixXd& query_gram, const MatrixXd& key_gram) {
  const auto eigenvalues_of = [](const MatrixXd& gram) {
    const std::vector<double> values = matrix_laws::eigenvalues_of_symmetric(gram);
    // Rounding may leave some below 0.
    return Eigen::VectorXd(Eigen::VectorXd::Map(values.data(), gram.rows()).cwiseMax(0));
  };
  return {eigenvalues_of(query_gram), eigenvalues_of(key_gram)};
}

MatrixXd row_gram(const MatrixXd& W) { return gram_of(W); }
Eigen::MatrixXf row_gram(const Eigen::MatrixXf& W) { return gram_of(W); }

MatrixXd stacked(const MatrixXd& above, const MatrixXd& below) {
  MatrixXd both(above.rows() + below.rows(), above.cols());
  both << above, below;
  return both;
}

double binary_scale(const MatrixXd& W) {
  // Of the figures products of twelve entries are the highest, of the third moments of energies.
  constexpr int kModerate = 32;
  const double largest = W.cwiseAbs().maxCoeff();
  if (largest == 0) return 1;
  const int power = std::ilogb(largest) + 1;
  if (std::abs(power) <= kModerate) return 1;
  // The largest power is left out, whose reciprocal is below the normal numbers.
  return std::ldexp(1.0, std::clamp(power, -1021, 1021));
}

FactoredMap factored(const MatrixXd& query, const MatrixXd& key, bool one_space) {
  require_factors(query, key, one_space);
  base::use_one_blas_thread();
  FactoredMap map;
  fill_grams(query, key, one_space, map);
  if (!fill_core_by_gram(map)) fill_core_by_qr(query, key, map);
  if (one_space && !fill_symmetric_by_gram(map)) fill_symmetric_by_qr(query, key, map);
  return map;
}

FactoredMap factored_by(Recipe recipe, const MatrixXd& query, const MatrixXd& key, bool one_space) {
  require_factors(query, key, one_space);
  base::use_one_blas_thread();
  FactoredMap map;
  fill_grams(query, key, one_space, map);
  if (recipe == Recipe::qr) {
    fill_core_by_qr(query, key, map);
    if (one_space) fill_symmetric_by_qr(query, key, map);
  } else if (!fill_core_by_gram(map) || (one_space && !fill_symmetric_by_gram(map))) {
    throw std::runtime_error("a Gram matrix of the head is singular to rounding");
  }
  return map;
}

SingularVectors leading_vectors(const MatrixXd& query, const MatrixXd& key, Index count) {
  const Eigen::HouseholderQR<MatrixXd> left(query.transpose()), right(key.transpose());
  const auto thin = [](const Eigen::HouseholderQR<MatrixXd>& qr) {
    const Index rank = std::min(qr.rows(), qr.cols());
    return MatrixXd(qr.householderQ() * MatrixXd::Identity(qr.rows(), rank));
  };
  const base::SingularSystem core = base::singular_system(upper(left) * upper(right).transpose());
  return {thin(left) * core.left.leftCols(count), thin(right) * core.right.topRows(count).transpose()};
}

}  // namespace attnlaw::checkpoint
