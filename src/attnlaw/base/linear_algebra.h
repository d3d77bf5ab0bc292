#pragma once
/// Wraps the few dense kernels that everything heavy rests on: matrix products (cblas), symmetric eigenproblems and
/// singular values (LAPACK dsyevd and dgesdd), and eigenvalues of general matrices (dgeev).

#include <complex>
#include <cstddef>
#include <span>
#include <vector>

namespace attnlaw::base {

/// Limits OpenBLAS to the calling thread: parallelism in attnlaw is over instances and blocks of data, never inside a
/// product, so that results have the same bits on any number of threads. The call is cheap; every user of gemm makes it
/// once.
void use_one_blas_thread();

/// Says whether gemm transposes its left factor.
enum class Transpose { no, yes };

/// Computes C = op(A) B + beta C for row-major C (rows×columns), op(A) (rows×inner) and B (inner×columns), all densely
/// packed.
void gemm(Transpose transpose_a, std::size_t rows, std::size_t columns, std::size_t inner, const float* a,
          const float* b, float beta, float* c);
void gemm(Transpose transpose_a, std::size_t rows, std::size_t columns, std::size_t inner, const double* a,
          const double* b, double beta, double* c);

/// Computes C = A L for row-major A and C (rows×d) and a lower triangle L (row-major, d×d, zeros above its diagonal),
/// in little more than half of the operations of gemm.
void lower_gemm(std::size_t rows, std::size_t d, const float* a, const float* lower, float* c);
void lower_gemm(std::size_t rows, std::size_t d, const double* a, const double* lower, double* c);

/// Adds the lower triangle of AᵀB, for row-major A and B (rows×d), to that of the row-major d×d array C, likewise in
/// little more than half of the operations. What C has above its diagonal is of no meaning afterwards.
void add_lower_product(std::size_t rows, std::size_t d, const float* a, const float* b, float* c);
void add_lower_product(std::size_t rows, std::size_t d, const double* a, const double* b, double* c);

/// Adds scale AᵀA for row-major A (rows×columns) to the lower triangle of the row-major columns×columns array C; the
/// rest of C is not touched.
void symmetric_product(std::size_t rows, std::size_t columns, double scale, const double* a, double* c);

/// Returns the eigenvalues of a symmetric matrix, ascending; only the lower triangle of the d×d array is read, and the
/// array is overwritten. Throws std::runtime_error for entries that are not finite or if LAPACK does not converge.
std::vector<double> symmetric_eigenvalues(std::span<double> matrix, std::size_t d);

/// Returns the eigenvalues, ascending, of a symmetric d×d matrix, which is overwritten by its eigenvectors: vector k is
/// row k of the row-major array. Throws as symmetric_eigenvalues.
std::vector<double> symmetric_eigensystem(std::span<double> matrix, std::size_t d);

/// Returns the `count` largest eigenvalues, ascending, of a symmetric tridiagonal matrix with this diagonal and the
/// off-diagonal that is one entry shorter, by bisection (LAPACK dstebz). Throws std::invalid_argument for other lengths
/// or a count that is not in [1, d], std::runtime_error if LAPACK fails.
std::vector<double> largest_tridiagonal_eigenvalues(std::span<const double> diagonal, std::span<const double> off,
                                                    std::size_t count);

/// Returns the eigenvalues of any d×d matrix, which is overwritten, in no order. Throws as symmetric_eigenvalues.
std::vector<std::complex<double>> general_eigenvalues(std::span<double> matrix, std::size_t d);

/// Returns the largest real part among the eigenvalues of any d×d matrix, which is overwritten. Throws as
/// symmetric_eigenvalues.
double largest_real_part(std::span<double> matrix, std::size_t d);

/// Returns the singular values, descending, of a row-major rows×columns array, which is overwritten. Throws as
/// symmetric_eigenvalues.
std::vector<double> singular_values(std::span<double> matrix, std::size_t rows, std::size_t columns);

/// A = left · diag(values) · right for A of rows×columns, with k = min(rows, columns) values in descending order:
/// `left` is a row-major rows×k array with a singular vector in each column, `right` k×columns with one in each row.
struct SingularValueDecomposition {
  std::vector<double> values;
  std::vector<double> left;
  std::vector<double> right;
};

/// Decomposes a row-major rows×columns array, which is overwritten. Throws as symmetric_eigenvalues.
SingularValueDecomposition singular_value_decomposition(std::span<double> matrix, std::size_t rows,
                                                        std::size_t columns);

}  // namespace attnlaw::base
