#include "attnlaw/base/gauss_nodes.h"

#include <Eigen/Eigenvalues>

namespace attnlaw::base {

GaussNodes gauss_nodes(std::span<const double> diagonal, std::span<const double> off) {
  const auto view = [](std::span<const double> list) {
    return Eigen::Map<const Eigen::VectorXd>(list.data(), std::ssize(list));
  };
  Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> jacobi;
  jacobi.computeFromTridiagonal(view(diagonal), view(off));
  const Eigen::VectorXd weights = jacobi.eigenvectors().row(0).cwiseAbs2();
  return {{jacobi.eigenvalues().begin(), jacobi.eigenvalues().end()}, {weights.begin(), weights.end()}};
}

}  // namespace attnlaw::base
