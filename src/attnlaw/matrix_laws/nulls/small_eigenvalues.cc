#include "attnlaw/matrix_laws/nulls/small_eigenvalues.h"

#include <Eigen/Cholesky>
#include <Eigen/Eigenvalues>
#include <cmath>

#include "attnlaw/base/index.h"
#include "attnlaw/base/matrix.h"
#include "attnlaw/base/tridiagonal.h"

namespace attnlaw::matrix_laws {

bool largest_eigenvalue_reaches(const Eigen::MatrixXd& G, double bound) {
  const Eigen::MatrixXd below = bound * Eigen::MatrixXd::Identity(G.rows(), G.cols()) - G;
  return Eigen::LLT<Eigen::MatrixXd>(below).info() != Eigen::Success;
}

std::vector<double> eigenvalues_of_symmetric(const Eigen::MatrixXd& G) {
  // Up to this size a tridiagonal form without blocks takes half of the time of LAPACK's.
  constexpr Eigen::Index kFewRows = 160;
  if (G.rows() < 2 || G.rows() > kFewRows || !G.allFinite()) return base::eigenvalues(G);
  const Eigen::Tridiagonalization<Eigen::MatrixXd> tridiagonal(G);
  const Eigen::VectorXd diagonal = tridiagonal.diagonal(), off = tridiagonal.subDiagonal();
  return base::tridiagonal_eigenvalues({diagonal.data(), base::size(diagonal.size())},
                                       {off.data(), base::size(off.size())});
}

double spectral_radius(const Eigen::MatrixXd& C) {
  // Of a power of this exponent the root of the norm is ρ to rounding, whatever its rank.
  constexpr int kMostSquarings = 40;
  constexpr double kRounding = 1e-10;  // of the identity of rank two; its error is divided by the exponent
  const double norm = C.norm();
  if (norm == 0 || !std::isfinite(norm)) return norm;
  // C^n = scale^n P with ‖P‖ = 1, in logarithms.
  double n = 1, log_scale = std::log(norm);
  Eigen::MatrixXd P = C / norm, square = P * P, fourth(C.rows(), C.cols());
  for (int step = 0; step < kMostSquarings; ++step) {
    const double of_square = square.norm();
    if (of_square == 0) return 0;  // nilpotent
    fourth.noalias() = square * square;
    // With the sum t and the product e of two eigenvalues, a matrix of rank two has P⁴ = (t² − e) P² − e t P.
    const double t = P.trace(), e = (t * t - square.trace()) / 2;
    const double off = (fourth - (t * t - e) * square + e * t * P).norm();
    if (off <= kRounding * fourth.norm()) {
      const double discriminant = t * t - 4 * e;
      const double leading = discriminant < 0 ? std::sqrt(e) : (std::abs(t) + std::sqrt(discriminant)) / 2;
      return std::exp(log_scale + std::log(leading) / n);
    }
    n *= 2;
    log_scale += std::log(of_square) / n;
    P = square / of_square;
    square = fourth / (of_square * of_square);
  }
  return std::exp(log_scale);
}

}  // namespace attnlaw::matrix_laws
