#pragma once
/// The theory of one Problem: state evolution solved to a stated accuracy.
///
/// ```cpp
/// #include <cstdio>
///
/// #include "attnlaw/theory/solve.h"
///
/// attnlaw::model::Problem problem;
/// problem.head = attnlaw::model::Head::linear;
/// problem.alpha = 0.5;
/// problem.lambda = 0.1;
/// const attnlaw::theory::Solution solution = attnlaw::theory::solve(problem);
/// if (!solution.diagnostics.converged) std::puts(solution.diagnostics.message.c_str());
/// std::printf("test error %.4f, estimation error %.4f\n", solution.errors.test, solution.errors.estimation);
/// std::printf("%.1f %% of the eigenvalues of S are 0\n", 100 * solution.spectrum.zero_mass);
/// ```

#include <optional>

#include "attnlaw/theory/solution.h"

namespace attnlaw::theory {

/// What a Solution holds.
enum class Detail {
  full,   ///< everything
  errors  ///< overlaps and errors; no spectrum of S, and no replicon (NaN) for a target of many atoms
};

struct SolveOptions {
  /// Largest relative sampling error of train, test and estimation error, at two standard errors. Range 1e-6 to 0.1;
  /// the number of points grows until it is met. Closed forms are exact.
  double accuracy = 1e-3;
  /// Overlaps to start from (a neighbour along a sweep); by default the uninformed start S = 0.
  std::optional<Overlaps> start;
  Detail detail = Detail::full;
  /// Also the derivatives of the errors with respect to α, λ, Δ and β (Solution::sensitivities).
  bool sensitivities = false;
  /// Untied self-attention alone: the approximation NumericalPrior::Approximation::isotropic (docs/theory/students.md).
  bool isotropic = false;
  /// Seconds after which searches end and no finer points are begun: the accuracy reached by then is stated, that of a
  /// coarse rule perhaps. No search is ended within half a second.
  std::optional<double> time_limit = std::nullopt;
};

/// Throws std::invalid_argument for an option out of range.
void require_valid(const SolveOptions& options);

/// Solves the theory of a problem, whatever its student and its λ: the one λ of least test error for the rule
/// `optimal`, the equations of the limit for `ridgeless`. Never throws for lack of convergence: see
/// Solution::diagnostics. Throws std::invalid_argument for an invalid problem or option.
Solution solve(const model::Problem& problem, const SolveOptions& options = {});

/// The same with the spectrum of the target given, e.g. that of the S* of a finite-size experiment.
Solution solve(const model::Problem& problem, const matrix_laws::Spectrum& target, const SolveOptions& options = {});

}  // namespace attnlaw::theory
