#include "decompositions.h"

#include <Eigen/Eigenvalues>
#include <Eigen/SVD>

namespace attnlaw::test {

Eigensystem eigensystem(const Eigen::MatrixXd& symmetric) {
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver(symmetric);
  return {solver.eigenvalues(), solver.eigenvectors()};
}

Eigen::VectorXd eigenvalues(const Eigen::MatrixXd& symmetric) {
  return Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd>(symmetric, Eigen::EigenvaluesOnly).eigenvalues();
}

SingularSystem singular_system(const Eigen::MatrixXd& M) {
  const Eigen::BDCSVD<Eigen::MatrixXd> svd(M, Eigen::ComputeFullU | Eigen::ComputeFullV);
  return {svd.singularValues(), svd.matrixU(), svd.matrixV()};
}

Eigen::VectorXd singular_values(const Eigen::MatrixXd& M) { return Eigen::BDCSVD<Eigen::MatrixXd>(M).singularValues(); }

}  // namespace attnlaw::test
