#pragma once
/// Trains the linear attention layer: ridge regression on the d(d+1) features x_q ⊗ u of n sequences, by whichever of
/// three ways is cheapest and fits into memory.

#include <vector>

#include "attnlaw/base/matrix.h"
#include "attnlaw/base/names.h"

namespace attnlaw::laws {

/// Sequences as the layer sees them, one per row: the query x_q, the statistic u = (h, t) of the context, the label.
struct InContextSequences {
  base::Matrix<double> query;    ///< n×d
  base::Matrix<double> context;  ///< n×(d+1)
  std::vector<double> label;
};

/// How the minimum of Σ (y_q − x_qᵀΓu)² + (nλ/d)‖Γ‖² is found.
enum class InContextSolver {
  automatic,  ///< the one that fits into memory and is expected to need the fewest operations
  normal,     ///< normal equations of d(d+1) unknowns, one triangle in memory
  kernel,     ///< n equations of the kernel (x·x')(u·u')
  iterative   ///< conjugate gradients on the normal equations, which are never formed
};
std::span<const base::Named<InContextSolver>> names_table(InContextSolver);

/// Returns the bytes that a solver takes beside the sequences, on so many threads.
double solver_bytes(InContextSolver solver, double d, double sequences, int threads);

/// What the cost of training depends on.
struct TrainingSize {
  double d = 0, sequences = 0, lambda = 0;
};

/// Returns a solver that is not `automatic`; `available` bytes are there for it.
InContextSolver chosen_solver(InContextSolver asked, const TrainingSize& size, int threads, double available);

struct TrainedLayer {
  base::Matrix<double> gamma;  ///< d×(d+1)
  double train = 0;            ///< mean squared residual
  int iterations = 0;          ///< of conjugate gradients
  bool converged = true;
};

/// Trains for λ > 0; the same bits on any number of threads. Throws std::runtime_error if the equations are not
/// positive definite to rounding.
TrainedLayer train_layer(const InContextSequences& sequences, double lambda, InContextSolver solver, int threads);

}  // namespace attnlaw::laws
