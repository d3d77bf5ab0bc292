#include "attnlaw/matrix_laws/nulls/largest_eigenvalue.h"

#include <Eigen/Cholesky>

namespace attnlaw::matrix_laws {

bool largest_eigenvalue_reaches(const Eigen::MatrixXd& G, double bound) {
  const Eigen::MatrixXd below = bound * Eigen::MatrixXd::Identity(G.rows(), G.cols()) - G;
  return Eigen::LLT<Eigen::MatrixXd>(below).info() != Eigen::Success;
}

}  // namespace attnlaw::matrix_laws
