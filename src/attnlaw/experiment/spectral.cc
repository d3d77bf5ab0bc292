#include "attnlaw/experiment/spectral.h"

#include <utility>

#include "attnlaw/base/linear_algebra.h"

namespace attnlaw::experiment {
namespace {

std::span<double> entries(Matrix<double>& M) { return {M.data(), static_cast<std::size_t>(M.size())}; }

}  // namespace

Eigensystem eigensystem(Matrix<double> M) {
  std::vector<double> values = base::symmetric_eigensystem(entries(M), static_cast<std::size_t>(M.rows()));
  return {std::move(values), std::move(M)};
}

std::vector<double> eigenvalues(Matrix<double> M) {
  return base::symmetric_eigenvalues(entries(M), static_cast<std::size_t>(M.rows()));
}

Matrix<double> recompose(const Eigensystem& system, std::span<const double> mapped) {
  const Eigen::Index d = system.vectors.rows();
  std::size_t first = 0, last = mapped.size();
  while (first < last && mapped[first] == 0) ++first;
  while (last > first && mapped[last - 1] == 0) --last;
  Matrix<double> S = Matrix<double>::Zero(d, d);
  if (first == last) return S;
  const auto kept = static_cast<Eigen::Index>(last - first);
  const Matrix<double> vectors = system.vectors.middleRows(static_cast<Eigen::Index>(first), kept);
  const Eigen::Map<const Eigen::VectorXd> weights(mapped.data() + first, kept);
  const Matrix<double> weighted = weights.asDiagonal() * vectors;
  const auto size = static_cast<std::size_t>(d);
  base::gemm(base::Transpose::yes, size, size, last - first, vectors.data(), weighted.data(), 0.0, S.data());
  return 0.5 * (S + S.transpose());
}

}  // namespace attnlaw::experiment
