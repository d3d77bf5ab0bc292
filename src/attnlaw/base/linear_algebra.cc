#include "attnlaw/base/linear_algebra.h"

#include <cblas.h>
#include <fmt/format.h>
#include <lapacke.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <stdexcept>
#include <type_traits>
#include <utility>

#include "attnlaw/base/apart.h"
#include "attnlaw/base/blas_call.h"
#include "attnlaw/base/interrupt.h"

namespace attnlaw::base {
namespace {

CBLAS_TRANSPOSE cblas(Transpose transpose) { return transpose == Transpose::yes ? CblasTrans : CblasNoTrans; }

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

/// A decomposition of so many rows takes a tenth of a second.
constexpr std::size_t kLongRows = 600;

/// Returns decompose(matrix), which changes the matrix. Of a large one it is a call apart, on a copy.
template <class Decompose>
auto decomposed(std::span<double> matrix, std::size_t rows, const Decompose& decompose) {
  if (rows < kLongRows || !interrupt_flag()) return decompose(matrix);
  struct Work {
    std::vector<double> matrix;
    std::invoke_result_t<Decompose, std::span<double>> result;
  };
  const auto work = std::make_shared<Work>(Work{{matrix.begin(), matrix.end()}, {}});
  call_apart([work, decompose] { work->result = decompose(work->matrix); });
  std::copy(work->matrix.begin(), work->matrix.end(), matrix.begin());
  return std::move(work->result);
}

std::vector<double> dsyevd_here(char job, std::span<double> matrix, std::size_t d) {
  const BlasCall call;
  std::vector<double> eigenvalues(d);
  const auto order = static_cast<lapack_int>(d);
  // The row-major lower triangle of a symmetric matrix is its column-major upper one, so no transposition is needed.
  const lapack_int info = LAPACKE_dsyevd(LAPACK_COL_MAJOR, job, 'U', order, matrix.data(), order, eigenvalues.data());
  if (info != 0) throw std::runtime_error(fmt::format("LAPACK dsyevd failed on a {0}x{0} matrix (info {1})", d, info));
  return eigenvalues;
}

std::vector<double> dsyevd(char job, std::span<double> matrix, std::size_t d) {
  require_square(matrix, d);
  return decomposed(matrix, d, [=](std::span<double> own) { return dsyevd_here(job, own, d); });
}

SingularValueDecomposition dgesdd_here(char job, std::span<double> matrix, std::size_t rows, std::size_t columns) {
  const BlasCall call;
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

/// Computes the singular values (`job` N), or also both arrays of vectors (S).
SingularValueDecomposition dgesdd(char job, std::span<double> matrix, std::size_t rows, std::size_t columns) {
  if (matrix.size() != rows * columns)
    throw std::invalid_argument(fmt::format("matrix must have {}x{} entries, got {}", rows, columns, matrix.size()));
  require_finite(matrix, "singular values", rows, columns);
  return decomposed(matrix, std::min(rows, columns),
                    [=](std::span<double> own) { return dgesdd_here(job, own, rows, columns); });
}

/// The extents of C = op(A) B + beta C, of row-major arrays whose rows are so many entries apart.
struct ProductShape {
  blasint rows, columns, inner;
  blasint a_stride, b_stride, c_stride;
};

void product(Transpose transpose_a, const ProductShape& shape, const float* a, const float* b, float beta, float* c) {
  const BlasCall call;
  cblas_sgemm(CblasRowMajor, cblas(transpose_a), CblasNoTrans, shape.rows, shape.columns, shape.inner, 1, a,
              shape.a_stride, b, shape.b_stride, beta, c, shape.c_stride);
}
void product(Transpose transpose_a, const ProductShape& shape, const double* a, const double* b, double beta,
             double* c) {
  const BlasCall call;
  cblas_dgemm(CblasRowMajor, cblas(transpose_a), CblasNoTrans, shape.rows, shape.columns, shape.inner, 1, a,
              shape.a_stride, b, shape.b_stride, beta, c, shape.c_stride);
}

/// A product of so many multiplications takes a tenth of a second.
constexpr double kLongProduct = 2e9;

/// Panels of rows of a long product are calls of their own, between which it can be interrupted.
template <class Real>
void gemm_of(Transpose transpose_a, std::size_t rows, std::size_t columns, std::size_t inner, const Real* a,
             const Real* b, Real beta, Real* c) {
  constexpr double kKernelRows = 64;  // a multiple of those that the kernels of BLAS take together
  const auto m = static_cast<blasint>(rows), n = static_cast<blasint>(columns), k = static_cast<blasint>(inner);
  const bool transposed = transpose_a == Transpose::yes;
  const double each = static_cast<double>(columns) * static_cast<double>(inner);
  const double panel_rows = kKernelRows * std::max(1.0, std::floor(kLongProduct / std::max(1.0, each) / kKernelRows));
  const blasint panel = static_cast<double>(rows) * each > kLongProduct ? static_cast<blasint>(panel_rows) : m;
  blasint first = 0;
  do {
    const blasint count = std::min(panel, m - first);
    product(transpose_a, {count, n, k, transposed ? m : k, n, n},
            a + static_cast<std::size_t>(first) * (transposed ? 1 : inner), b, beta,
            c + static_cast<std::size_t>(first) * columns);
    first += count;
  } while (first < m);
}

/// Calls visit(first, last) for the panels into which a triangle of order d is cut. Narrower ones waste less on zeros
/// above the diagonal, but make products too small to be fast; from d = 40 to 200 this width is best, or within 3 % of
/// it.
template <class Visit>
void for_panels(blasint d, Visit visit) {
  constexpr blasint kWidth = 32, kKernelWidth = 8;
  const blasint panels = std::max<blasint>(1, (d + kWidth / 2) / kWidth);
  const auto bound = [&](blasint panel) {
    return panel == panels ? d : d * panel / panels / kKernelWidth * kKernelWidth;
  };
  for (blasint panel = 0; panel < panels; ++panel) visit(bound(panel), bound(panel + 1));
}

template <class Real>
void lower_gemm_of(std::size_t rows, std::size_t d, const Real* a, const Real* lower, Real* c) {
  const auto m = static_cast<blasint>(rows), n = static_cast<blasint>(d);
  for_panels(n, [&](blasint first, blasint last) {
    product(Transpose::no, {m, last - first, n - first, n, n, n}, a + first, lower + first * (n + 1), Real(0),
            c + first);
  });
}

template <class Real>
void add_lower_product_of(std::size_t rows, std::size_t d, const Real* a, const Real* b, Real* c) {
  const auto m = static_cast<blasint>(rows), n = static_cast<blasint>(d);
  for_panels(n, [&](blasint first, blasint last) {
    product(Transpose::yes, {last - first, last, m, n, n, n}, a + first, b, Real(1), c + first * n);
  });
}

}  // namespace

void use_one_blas_thread() { openblas_set_num_threads(1); }

void gemm(Transpose transpose_a, std::size_t rows, std::size_t columns, std::size_t inner, const float* a,
          const float* b, float beta, float* c) {
  gemm_of(transpose_a, rows, columns, inner, a, b, beta, c);
}

void gemm(Transpose transpose_a, std::size_t rows, std::size_t columns, std::size_t inner, const double* a,
          const double* b, double beta, double* c) {
  gemm_of(transpose_a, rows, columns, inner, a, b, beta, c);
}

void lower_gemm(std::size_t rows, std::size_t d, const float* a, const float* lower, float* c) {
  lower_gemm_of(rows, d, a, lower, c);
}
void lower_gemm(std::size_t rows, std::size_t d, const double* a, const double* lower, double* c) {
  lower_gemm_of(rows, d, a, lower, c);
}

void add_lower_product(std::size_t rows, std::size_t d, const float* a, const float* b, float* c) {
  add_lower_product_of(rows, d, a, b, c);
}
void add_lower_product(std::size_t rows, std::size_t d, const double* a, const double* b, double* c) {
  add_lower_product_of(rows, d, a, b, c);
}

void symmetric_product(std::size_t rows, std::size_t columns, double scale, const double* a, double* c) {
  const BlasCall call;
  const auto n = static_cast<blasint>(columns), k = static_cast<blasint>(rows);
  cblas_dsyrk(CblasRowMajor, CblasLower, CblasTrans, n, k, scale, a, n, 1, c, n);
}

std::vector<double> symmetric_eigenvalues(std::span<double> matrix, std::size_t d) { return dsyevd('N', matrix, d); }

std::vector<double> symmetric_eigensystem(std::span<double> matrix, std::size_t d) { return dsyevd('V', matrix, d); }

std::vector<double> largest_tridiagonal_eigenvalues(std::span<const double> diagonal, std::span<const double> off,
                                                    std::size_t count) {
  const std::size_t d = diagonal.size();
  if (d == 0 || off.size() + 1 != d || count < 1 || count > d)
    throw std::invalid_argument(fmt::format(
        "{} eigenvalues of a tridiagonal matrix were asked for, with {} and {} entries", count, d, off.size()));
  std::vector<double> values(d);
  std::vector<lapack_int> blocks(d), splits(d);
  const auto order = static_cast<lapack_int>(d), wanted = static_cast<lapack_int>(count);
  lapack_int found = 0, pieces = 0;
  const lapack_int info = LAPACKE_dstebz('I', 'E', order, 0, 0, order - wanted + 1, order, 0, diagonal.data(),
                                         off.data(), &found, &pieces, values.data(), blocks.data(), splits.data());
  if (info != 0 || found != wanted)
    throw std::runtime_error(fmt::format("LAPACK dstebz failed on a matrix of order {} (info {})", d, info));
  values.resize(count);
  return values;
}

namespace {

std::vector<std::complex<double>> dgeev_here(std::span<double> matrix, std::size_t d) {
  const BlasCall call;
  std::vector<double> real(d), imaginary(d);
  const auto order = static_cast<lapack_int>(d);
  // The row-major array is read as the transposed matrix, which has the same eigenvalues.
  const lapack_int info = LAPACKE_dgeev(LAPACK_COL_MAJOR, 'N', 'N', order, matrix.data(), order, real.data(),
                                        imaginary.data(), nullptr, 1, nullptr, 1);
  if (info != 0) throw std::runtime_error(fmt::format("LAPACK dgeev failed on a {0}x{0} matrix (info {1})", d, info));
  std::vector<std::complex<double>> values(d);
  for (std::size_t i = 0; i < d; ++i) values[i] = {real[i], imaginary[i]};
  return values;
}

}  // namespace

std::vector<std::complex<double>> general_eigenvalues(std::span<double> matrix, std::size_t d) {
  require_square(matrix, d);
  return decomposed(matrix, d, [=](std::span<double> own) { return dgeev_here(own, d); });
}

double largest_real_part(std::span<double> matrix, std::size_t d) {
  double largest = -std::numeric_limits<double>::infinity();
  for (const std::complex<double>& value : general_eigenvalues(matrix, d)) largest = std::max(largest, value.real());
  return largest;
}

std::vector<double> singular_values(std::span<double> matrix, std::size_t rows, std::size_t columns) {
  return dgesdd('N', matrix, rows, columns).values;
}

SingularValueDecomposition singular_value_decomposition(std::span<double> matrix, std::size_t rows,
                                                        std::size_t columns) {
  return dgesdd('S', matrix, rows, columns);
}

}  // namespace attnlaw::base
