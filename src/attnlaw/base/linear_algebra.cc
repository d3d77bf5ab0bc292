#include "attnlaw/base/linear_algebra.h"

#include <cblas.h>
#include <fmt/format.h>
#include <lapacke.h>
#include <sys/mman.h>

#include <algorithm>
#include <cmath>
#include <new>
#include <stdexcept>

namespace attnlaw::base {
namespace {

CBLAS_TRANSPOSE cblas(Transpose transpose) { return transpose == Transpose::yes ? CblasTrans : CblasNoTrans; }

/// Throws std::bad_alloc unless the system has room for the buffer that OpenBLAS takes for each thread at work (128 MiB
/// of address space in OpenBLAS 0.3 for x86-64): where it is refused one, OpenBLAS asks again for ever. A buffer is
/// kept, so the first call of a thread decides.
void require_blas_buffer() {
  constexpr std::size_t kBuffer = std::size_t{128} << 20;
  thread_local bool there = false;
  if (there) return;
  void* room = mmap(nullptr, kBuffer, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (room == MAP_FAILED) throw std::bad_alloc();
  munmap(room, kBuffer);
  there = true;
}

/// Throws std::runtime_error for entries that are not finite: LAPACK may loop or return garbage on them instead of
/// failing.
void require_finite(std::span<const double> matrix, const char* what, std::size_t rows, std::size_t columns) {
  if (!std::all_of(matrix.begin(), matrix.end(), [](double x) { return std::isfinite(x); }))
    throw std::runtime_error(fmt::format("{} of a {}x{} matrix with entries that are not finite", what, rows, columns));
}

void require_square(std::span<const double> matrix, std::size_t d) {
  if (matrix.size() != d * d)
    throw std::invalid_argument(fmt::format("matrix must have {0}x{0} entries, got {1}", d, matrix.size()));
  require_finite(matrix, "eigenvalues", d, d);
}

std::vector<double> dsyevd(char job, std::span<double> matrix, std::size_t d) {
  require_square(matrix, d);
  require_blas_buffer();
  std::vector<double> eigenvalues(d);
  const auto order = static_cast<lapack_int>(d);
  // The row-major lower triangle of a symmetric matrix is its column-major upper one, so no transposition is needed.
  const lapack_int info = LAPACKE_dsyevd(LAPACK_COL_MAJOR, job, 'U', order, matrix.data(), order, eigenvalues.data());
  if (info != 0) throw std::runtime_error(fmt::format("LAPACK dsyevd failed on a {0}x{0} matrix (info {1})", d, info));
  return eigenvalues;
}

/// Computes the singular values (`job` N), or also both arrays of vectors (S).
SingularValueDecomposition dgesdd(char job, std::span<double> matrix, std::size_t rows, std::size_t columns) {
  if (matrix.size() != rows * columns)
    throw std::invalid_argument(fmt::format("matrix must have {}x{} entries, got {}", rows, columns, matrix.size()));
  require_finite(matrix, "singular values", rows, columns);
  require_blas_buffer();
  const std::size_t k = std::min(rows, columns);
  SingularValueDecomposition result;
  result.values.resize(k);
  if (job == 'S') result.left.resize(rows * k), result.right.resize(k * columns);
  // The row-major array is the column-major transpose, whose left vectors are the right ones of the matrix.
  const auto m = static_cast<lapack_int>(columns), n = static_cast<lapack_int>(rows), least = std::min(m, n);
  const lapack_int info = LAPACKE_dgesdd(LAPACK_COL_MAJOR, job, m, n, matrix.data(), m, result.values.data(),
                                         result.right.data(), m, result.left.data(), least);
  if (info != 0)
    throw std::runtime_error(fmt::format("LAPACK dgesdd failed on a {}x{} matrix (info {})", rows, columns, info));
  return result;
}

}  // namespace

void use_one_blas_thread() { openblas_set_num_threads(1); }

void gemm(Transpose transpose_a, std::size_t rows, std::size_t columns, std::size_t inner, const float* a,
          const float* b, float beta, float* c) {
  require_blas_buffer();
  const auto m = static_cast<blasint>(rows), n = static_cast<blasint>(columns), k = static_cast<blasint>(inner);
  cblas_sgemm(CblasRowMajor, cblas(transpose_a), CblasNoTrans, m, n, k, 1, a, transpose_a == Transpose::yes ? m : k, b,
              n, beta, c, n);
}

void gemm(Transpose transpose_a, std::size_t rows, std::size_t columns, std::size_t inner, const double* a,
          const double* b, double beta, double* c) {
  require_blas_buffer();
  const auto m = static_cast<blasint>(rows), n = static_cast<blasint>(columns), k = static_cast<blasint>(inner);
  cblas_dgemm(CblasRowMajor, cblas(transpose_a), CblasNoTrans, m, n, k, 1, a, transpose_a == Transpose::yes ? m : k, b,
              n, beta, c, n);
}

void symmetric_product(std::size_t rows, std::size_t columns, double scale, const double* a, double* c) {
  require_blas_buffer();
  const auto n = static_cast<blasint>(columns), k = static_cast<blasint>(rows);
  cblas_dsyrk(CblasRowMajor, CblasLower, CblasTrans, n, k, scale, a, n, 1, c, n);
}

std::vector<double> symmetric_eigenvalues(std::span<double> matrix, std::size_t d) { return dsyevd('N', matrix, d); }

std::vector<double> symmetric_eigensystem(std::span<double> matrix, std::size_t d) { return dsyevd('V', matrix, d); }

double largest_real_part(std::span<double> matrix, std::size_t d) {
  require_square(matrix, d);
  require_blas_buffer();
  std::vector<double> real(d), imaginary(d);
  const auto order = static_cast<lapack_int>(d);
  // The row-major array is read as the transposed matrix, which has the same eigenvalues.
  const lapack_int info = LAPACKE_dgeev(LAPACK_COL_MAJOR, 'N', 'N', order, matrix.data(), order, real.data(),
                                        imaginary.data(), nullptr, 1, nullptr, 1);
  if (info != 0) throw std::runtime_error(fmt::format("LAPACK dgeev failed on a {0}x{0} matrix (info {1})", d, info));
  return *std::max_element(real.begin(), real.end());
}

std::vector<double> singular_values(std::span<double> matrix, std::size_t rows, std::size_t columns) {
  return dgesdd('N', matrix, rows, columns).values;
}

SingularValueDecomposition singular_value_decomposition(std::span<double> matrix, std::size_t rows,
                                                        std::size_t columns) {
  return dgesdd('S', matrix, rows, columns);
}

}  // namespace attnlaw::base
