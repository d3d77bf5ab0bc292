/// What the theory needs of base/linear_algebra.h, by Eigen instead of BLAS and LAPACK.

#include "attnlaw/base/linear_algebra.h"

#include <Eigen/Eigenvalues>
#include <Eigen/SVD>
#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <string>

#include "attnlaw/base/matrix.h"

namespace attnlaw::base {
namespace {

using RealMatrix = Matrix<double>;

Eigen::Index index(std::size_t n) { return static_cast<Eigen::Index>(n); }

Eigen::Map<RealMatrix> view(std::span<double> matrix, std::size_t rows, std::size_t columns, const char* what) {
  if (matrix.size() != rows * columns) throw std::invalid_argument("a matrix with another number of entries");
  if (!std::all_of(matrix.begin(), matrix.end(), [](double x) { return std::isfinite(x); }))
    throw std::runtime_error(std::string(what) + " of a matrix with entries that are not finite");
  return {matrix.data(), index(rows), index(columns)};
}

/// Throws as LAPACK's callers do where an iteration of Eigen has not converged.
template <class Solver>
const Solver& converged(const Solver& solver, const char* what, const Eigen::MatrixXd& matrix) {
  if (solver.info() != Eigen::Success)
    throw std::runtime_error(std::string(what) + " of a matrix of " + std::to_string(matrix.rows()) +
                             " rows: no convergence");
  return solver;
}

std::vector<double> list(const Eigen::VectorXd& values) { return {values.data(), values.data() + values.size()}; }

}  // namespace

void use_one_blas_thread() {}

void gemm(Transpose transpose_a, std::size_t rows, std::size_t columns, std::size_t inner, const double* a,
          const double* b, double beta, double* c) {
  const bool transposed = transpose_a == Transpose::yes;
  const Eigen::Map<const RealMatrix> A(a, index(transposed ? inner : rows), index(transposed ? rows : inner));
  const Eigen::Map<const RealMatrix> B(b, index(inner), index(columns));
  Eigen::Map<RealMatrix> C(c, index(rows), index(columns));
  // What is not initialised is not read, as in BLAS.
  if (beta == 0)
    C.setZero();
  else
    C *= beta;
  if (transposed)
    C.noalias() += A.transpose() * B;
  else
    C.noalias() += A * B;
}

void symmetric_product(std::size_t rows, std::size_t columns, double scale, const double* a, double* c) {
  const Eigen::Map<const RealMatrix> A(a, index(rows), index(columns));
  Eigen::Map<RealMatrix> C(c, index(columns), index(columns));
  C.selfadjointView<Eigen::Lower>().rankUpdate(A.transpose(), scale);
}

std::vector<double> symmetric_eigenvalues(std::span<double> matrix, std::size_t d) {
  const Eigen::MatrixXd M = view(matrix, d, d, "eigenvalues");
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver(M, Eigen::EigenvaluesOnly);
  return list(converged(solver, "eigenvalues", M).eigenvalues());
}

std::vector<double> symmetric_eigensystem(std::span<double> matrix, std::size_t d) {
  Eigen::Map<RealMatrix> rows = view(matrix, d, d, "eigenvalues");
  const Eigen::MatrixXd M = rows;
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver(M);
  rows = converged(solver, "eigenvalues", M).eigenvectors().transpose();
  return list(solver.eigenvalues());
}

std::vector<std::complex<double>> general_eigenvalues(std::span<double> matrix, std::size_t d) {
  const Eigen::MatrixXd M = view(matrix, d, d, "eigenvalues");
  const Eigen::EigenSolver<Eigen::MatrixXd> solver(M, false);
  const Eigen::VectorXcd values = converged(solver, "eigenvalues", M).eigenvalues();
  return {values.data(), values.data() + values.size()};
}

double largest_real_part(std::span<double> matrix, std::size_t d) {
  double largest = -std::numeric_limits<double>::infinity();
  for (const std::complex<double>& value : general_eigenvalues(matrix, d)) largest = std::max(largest, value.real());
  return largest;
}

std::vector<double> singular_values(std::span<double> matrix, std::size_t rows, std::size_t columns) {
  return singular_value_decomposition(matrix, rows, columns).values;
}

SingularValueDecomposition singular_value_decomposition(std::span<double> matrix, std::size_t rows,
                                                        std::size_t columns) {
  const Eigen::MatrixXd M = view(matrix, rows, columns, "singular values");
  // By Jacobi rotations: it compiles in seconds, and these matrices are small.
  const Eigen::JacobiSVD<Eigen::MatrixXd> svd(M, Eigen::ComputeThinU | Eigen::ComputeThinV);
  const Eigen::Index k = svd.singularValues().size();
  SingularValueDecomposition result{list(svd.singularValues()), std::vector<double>(rows * static_cast<std::size_t>(k)),
                                    std::vector<double>(static_cast<std::size_t>(k) * columns)};
  Eigen::Map<RealMatrix>(result.left.data(), M.rows(), k) = svd.matrixU();
  Eigen::Map<RealMatrix>(result.right.data(), k, M.cols()) = svd.matrixV().transpose();
  return result;
}

}  // namespace attnlaw::base
