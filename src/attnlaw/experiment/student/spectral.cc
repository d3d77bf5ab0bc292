#include "attnlaw/experiment/student/spectral.h"

#include <utility>

namespace attnlaw::experiment {

using base::Eigensystem;
using base::entries;
using base::Matrix;

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

std::vector<double> singular_values(Matrix<double> M) {
  const auto d = static_cast<std::size_t>(M.rows());
  return base::singular_values(entries(M), d, d);
}

Matrix<double> recompose(const SingularSystem& system, std::span<const double> mapped) {
  std::size_t kept = mapped.size();
  while (kept > 0 && mapped[kept - 1] == 0) --kept;
  const std::size_t d = system.values.size();
  const auto rows = static_cast<Eigen::Index>(d), columns = static_cast<Eigen::Index>(kept);
  Matrix<double> S = Matrix<double>::Zero(rows, rows);
  if (kept == 0) return S;
  const Matrix<double> weighted =
      system.left.leftCols(columns) * Eigen::Map<const Eigen::VectorXd>(mapped.data(), columns).asDiagonal();
  base::gemm(base::Transpose::no, d, d, kept, weighted.data(), system.right.data(), 0.0, S.data());
  return S;
}

}  // namespace attnlaw::experiment
