#include "attnlaw/laws/in_context/regression.h"

#include <Eigen/Cholesky>
#include <algorithm>
#include <cmath>

#include "attnlaw/base/index.h"
#include "attnlaw/base/interrupt.h"
#include "attnlaw/base/packed_triangle.h"
#include "attnlaw/base/parallel.h"

namespace attnlaw::laws {
namespace {

using base::index;
using base::size;
using Eigen::Index;
using Matrix = base::Matrix<double>;

/// So many sequences enter a product at a time, and so many rows of a product are computed at a time: large enough for
/// products to be fast, small beside what they fill.
constexpr std::size_t kSequences = 256, kProducts = 512, kRows = 256, kPasses = 2048;

std::size_t pairs(std::size_t d) { return d * (d + 1) / 2; }

std::size_t blocks(std::size_t count, std::size_t block) { return (count + block - 1) / block; }

// ---- normal equations ----------------------------------------------------------------------------------------------

/// The normal matrix Σ (x⊗u)(x⊗u)ᵀ has entries Σ x_a x_b u_i u_j, symmetric in a, b and in i, j separately: products
/// of pairs meet in half of the operations of a product of a triangle of the features themselves. A range of the pairs
/// a ≥ b is computed at a time, so that nothing but the triangle has d⁴ entries.
class NormalEquations {
 public:
  explicit NormalEquations(const InContextSequences& sequences)
      : sequences_(sequences), d_(static_cast<std::size_t>(sequences.query.cols())), triangle_(d_ * (d_ + 1)) {
    for (std::size_t a = 0; a < d_; ++a)
      for (std::size_t b = 0; b <= a; ++b) queries_.push_back({a, b});
  }

  base::PackedTriangle& triangle() { return triangle_; }

  void fill(int threads) {
    base::parallel_for(blocks(queries_.size(), kProducts), threads, [this](std::size_t block) {
      const std::size_t first = block * kProducts;
      fill(first, std::min(first + kProducts, queries_.size()));
    });
  }

 private:
  struct Pair {
    std::size_t a, b;
  };

  void fill(std::size_t first, std::size_t last) {
    const std::size_t n = sequences_.label.size(), contexts = pairs(d_ + 1), count = last - first;
    Matrix sums = Matrix::Zero(index(count), index(contexts));
    Matrix of_query(index(kSequences), index(count)), of_context(index(kSequences), index(contexts));
    for (std::size_t from = 0; from < n; from += kSequences) {
      const std::size_t rows = std::min(kSequences, n - from);
      for (std::size_t row = 0; row < rows; ++row) {
        base::check_interrupt();
        multiply_queries(from + row, first, last, of_query.row(index(row)).data());
        multiply_contexts(from + row, of_context.row(index(row)).data());
      }
      base::gemm(base::Transpose::yes, count, contexts, rows, of_query.data(), of_context.data(), 1.0, sums.data());
    }
    for (std::size_t pair = first; pair < last; ++pair) scatter(queries_[pair], sums.row(index(pair - first)).data());
  }

  void multiply_queries(std::size_t sequence, std::size_t first, std::size_t last, double* out) const {
    const double* x = sequences_.query.row(index(sequence)).data();
    for (std::size_t pair = first; pair < last; ++pair) *out++ = x[queries_[pair].a] * x[queries_[pair].b];
  }

  void multiply_contexts(std::size_t sequence, double* out) const {
    const double* u = sequences_.context.row(index(sequence)).data();
    for (std::size_t i = 0; i <= d_; ++i) {
      for (std::size_t j = 0; j <= i; ++j) out[j] = u[i] * u[j];
      out += i + 1;
    }
  }

  /// Puts Σ x_a x_b u_i u_j where the triangle has it: in rows (a, i) and (a, j).
  void scatter(const Pair& pair, const double* sums) {
    const std::size_t row = pair.a * (d_ + 1), column = pair.b * (d_ + 1);
    for (std::size_t i = 0; i <= d_; ++i)
      for (std::size_t j = 0; j <= i; ++j) {
        triangle_(row + i, column + j) = *sums;
        if (pair.a != pair.b) triangle_(row + j, column + i) = *sums;
        ++sums;
      }
  }

  const InContextSequences& sequences_;
  std::size_t d_;
  std::vector<Pair> queries_;
  base::PackedTriangle triangle_;
};

/// Returns Σ weight x_q uᵀ.
Matrix weighted_features(const InContextSequences& sequences, const std::vector<double>& weights) {
  const Eigen::Map<const Eigen::VectorXd> w(weights.data(), index(weights.size()));
  return base::product(sequences.query, Matrix(w.asDiagonal() * sequences.context), base::Transpose::yes);
}

Matrix solve_normal(const InContextSequences& sequences, double penalty, int threads) {
  NormalEquations equations(sequences);
  equations.fill(threads);
  base::PackedTriangle& triangle = equations.triangle();
  for (std::size_t i = 0; i < triangle.order(); ++i) triangle(i, i) += penalty;
  Matrix gamma = weighted_features(sequences, sequences.label);
  triangle.solve(base::entries(gamma));
  return gamma;
}

// ---- kernel --------------------------------------------------------------------------------------------------------

/// Returns the transposes of blocks of rows, as products take them.
std::vector<Matrix> transposed_blocks(const Matrix& rows) {
  std::vector<Matrix> result;
  for (Index first = 0; first < rows.rows(); first += index(kRows))
    result.emplace_back(rows.middleRows(first, std::min(index(kRows), rows.rows() - first)).transpose());
  return result;
}

Matrix solve_kernel(const InContextSequences& sequences, double penalty, int threads) {
  const std::size_t n = sequences.label.size();
  base::PackedTriangle kernel(n);
  const std::vector<Matrix> queries = transposed_blocks(sequences.query);
  const std::vector<Matrix> contexts = transposed_blocks(sequences.context);
  base::parallel_for(queries.size(), threads, [&](std::size_t block) {
    for (std::size_t other = 0; other <= block; ++other) {
      const Matrix values = base::product(queries[block], queries[other], base::Transpose::yes)
                                .cwiseProduct(base::product(contexts[block], contexts[other], base::Transpose::yes));
      for (std::size_t i = 0; i < static_cast<std::size_t>(values.rows()); ++i) {
        const std::size_t row = block * kRows + i;
        const std::size_t columns = std::min(static_cast<std::size_t>(values.cols()), row + 1 - other * kRows);
        for (std::size_t j = 0; j < columns; ++j) kernel(row, other * kRows + j) = values(index(i), index(j));
      }
    }
  });
  for (std::size_t i = 0; i < n; ++i) kernel(i, i) += penalty;
  std::vector<double> weights = sequences.label;
  kernel.solve(weights);
  return weighted_features(sequences, weights);
}

// ---- conjugate gradients -------------------------------------------------------------------------------------------

/// Passes over the sequences in blocks, whose results are added in their order.
class Passes {
 public:
  Passes(const InContextSequences& sequences, int threads) : sequences_(sequences), threads_(threads) {}

  /// Returns x_qᵀΓu of every sequence.
  Eigen::VectorXd answers(const Matrix& gamma) const {
    Eigen::VectorXd all(index(sequences_.label.size()));
    over_blocks([&](std::size_t, Index first, Index rows) { all.segment(first, rows) = answers(gamma, first, rows); });
    return all;
  }

  /// Returns Σ (x_qᵀΓu) x_q uᵀ.
  Matrix normal_product(const Matrix& gamma) const {
    std::vector<Matrix> sums(blocks(sequences_.label.size(), kPasses));
    over_blocks([&](std::size_t block, Index first, Index rows) {
      const Matrix weighted = answers(gamma, first, rows).asDiagonal() * sequences_.context.middleRows(first, rows);
      Matrix& sum = sums[block];
      sum.resize(gamma.rows(), gamma.cols());
      base::gemm(base::Transpose::yes, size(sum.rows()), size(sum.cols()), size(rows), queries(first), weighted.data(),
                 0.0, sum.data());
    });
    Matrix sum = std::move(sums.front());
    for (std::size_t i = 1; i < sums.size(); ++i) sum += sums[i];
    return sum;
  }

 private:
  template <class Visit>
  void over_blocks(const Visit& visit) const {
    const std::size_t n = sequences_.label.size();
    base::parallel_for(blocks(n, kPasses), threads_, [&](std::size_t block) {
      visit(block, index(block * kPasses), index(std::min(kPasses, n - block * kPasses)));
    });
  }

  Eigen::VectorXd answers(const Matrix& gamma, Index first, Index rows) const {
    Matrix images(rows, gamma.cols());
    base::gemm(base::Transpose::no, size(rows), size(gamma.cols()), size(gamma.rows()), queries(first), gamma.data(),
               0.0, images.data());
    return images.cwiseProduct(sequences_.context.middleRows(first, rows)).rowwise().sum();
  }

  /// The queries from one on, which stand one after the other.
  const double* queries(Index first) const { return sequences_.query.row(first).data(); }

  const InContextSequences& sequences_;
  int threads_;
};

/// Solves (N + penalty) Γ = Σ y x_q uᵀ, preconditioned by what N is for queries of covariance I/d. With fewer sequences
/// than unknowns nothing is preconditioned: that led out of the span of the features, where only the penalty acts.
TrainedLayer solve_iteratively(const InContextSequences& sequences, double penalty, int threads) {
  constexpr double kTolerance = 1e-11;  // of the residual: errors of Γ of 1e-8 where it is worst conditioned
  constexpr int kMostIterations = 20000;
  const Passes passes(sequences, threads);
  const auto d = static_cast<double>(sequences.query.cols());
  const Index columns = sequences.context.cols();
  Eigen::MatrixXd second = Eigen::MatrixXd::Identity(columns, columns);
  if (sequences.query.rows() >= sequences.query.cols() * columns) {
    second = base::product(sequences.context, sequences.context, base::Transpose::yes) / d;
    second.diagonal().array() += penalty;
  }
  const Eigen::LLT<Eigen::MatrixXd> factor(second);
  const auto precondition = [&](const Matrix& residual) -> Matrix {
    return factor.solve(residual.transpose()).transpose();
  };
  Matrix residual = weighted_features(sequences, sequences.label);
  TrainedLayer layer{Matrix::Zero(residual.rows(), residual.cols()), 0, 0, false};
  Matrix preconditioned = precondition(residual), direction = preconditioned;
  double size = base::inner(residual, preconditioned);
  const double goal = kTolerance * kTolerance * size;
  while (!(layer.converged = size <= goal) && std::isfinite(size) && layer.iterations < kMostIterations) {
    ++layer.iterations;
    Matrix image = passes.normal_product(direction);
    image += penalty * direction;
    const double step = size / base::inner(direction, image);
    layer.gamma += step * direction;
    residual -= step * image;
    preconditioned = precondition(residual);
    const double next = base::inner(residual, preconditioned);
    direction = preconditioned + next / size * direction;
    size = next;
  }
  return layer;
}

/// Estimates the iterations of conjugate gradients: preconditioned, the spectrum of the normal matrix is that of
/// Marchenko and Pastur, with the penalty below it.
double expected_iterations(double d, double n, double lambda) {
  constexpr double kDigits = 13;  // ½ log(2/tolerance)
  const double root = d / std::sqrt(n);
  const double least = (1 - root) * (1 - root) + lambda / (1 + lambda);
  return kDigits * (1 + root) / std::sqrt(least);
}

/// Returns the operations of a solver in those of a large matrix product.
double operations(InContextSolver solver, double d, double n, double lambda) {
  const double unknowns = d * (d + 1), cubic = 1.0 / 3;
  switch (solver) {
    case InContextSolver::normal:
      return 0.5 * n * unknowns * unknowns + cubic * unknowns * unknowns * unknowns;
    case InContextSolver::kernel:
      return cubic * n * n * n + 2 * d * n * n;
    default:
      constexpr double kThin = 3;  // passes over all sequences are slower than large products
      return kThin * 4 * n * unknowns * expected_iterations(d, n, lambda);
  }
}

}  // namespace

std::span<const base::Named<InContextSolver>> names_table(InContextSolver) {
  static constexpr base::Named<InContextSolver> kSolvers[] = {{InContextSolver::automatic, "automatic"},
                                                              {InContextSolver::normal, "normal"},
                                                              {InContextSolver::kernel, "kernel"},
                                                              {InContextSolver::iterative, "iterative"}};
  return kSolvers;
}

double solver_bytes(InContextSolver solver, double d, double sequences, int threads) {
  constexpr double kMatrices = 8;  // of d×d that are alive at once
  const double contexts = 0.5 * (d + 1) * (d + 2), squares = kMatrices * d * (d + 1) * sizeof(double);
  if (solver == InContextSolver::normal) {
    const double block = (kProducts + kSequences) * contexts * sizeof(double);
    return base::PackedTriangle::bytes(d * (d + 1)) + threads * block + squares;
  }
  const double copies = 2 * sequences * (d + 1) * sizeof(double);
  if (solver == InContextSolver::kernel) return base::PackedTriangle::bytes(sequences) + copies + squares;
  const double sums = std::ceil(sequences / kPasses) * d * (d + 1) * sizeof(double);
  return copies + sums + squares;
}

InContextSolver chosen_solver(InContextSolver asked, const TrainingSize& size, int threads, double available) {
  if (asked != InContextSolver::automatic) return asked;
  const auto [d, n, lambda] = size;
  InContextSolver best = InContextSolver::iterative;
  for (const InContextSolver solver : {InContextSolver::normal, InContextSolver::kernel})
    if (solver_bytes(solver, d, n, threads) <= available &&
        operations(solver, d, n, lambda) < operations(best, d, n, lambda))
      best = solver;
  return best;
}

TrainedLayer train_layer(const InContextSequences& sequences, double lambda, InContextSolver solver, int threads) {
  base::use_one_blas_thread();
  const double n = static_cast<double>(sequences.label.size()), d = static_cast<double>(sequences.query.cols());
  const double penalty = n * lambda / d;
  TrainedLayer layer;
  if (solver == InContextSolver::iterative)
    layer = solve_iteratively(sequences, penalty, threads);
  else
    layer.gamma = solver == InContextSolver::kernel ? solve_kernel(sequences, penalty, threads)
                                                    : solve_normal(sequences, penalty, threads);
  const Eigen::Map<const Eigen::VectorXd> labels(sequences.label.data(), index(sequences.label.size()));
  layer.train = (labels - Passes(sequences, threads).answers(layer.gamma)).squaredNorm() / n;
  return layer;
}

}  // namespace attnlaw::laws
