#pragma once
/// Solutions over a plane: α against another variable of the problem, with the lines of the thresholds.

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "attnlaw/study/thresholds.h"
#include "attnlaw/theory/solve.h"

namespace attnlaw::study {

using base::name;

/// The variable of a phase diagram beside α.
enum class DiagramVariable {
  kappa,  ///< κ* of a Wishart target
  noise   ///< Δ
};
std::span<const base::Named<DiagramVariable>> names_table(DiagramVariable);

struct DiagramPoint {
  theory::Errors errors;
  double replicon = 0;  ///< as Diagnostics::replicon
  bool converged = false;
};

struct PhaseDiagram {
  model::Problem problem;  ///< as given
  DiagramVariable variable = DiagramVariable::kappa;
  std::vector<double> values;        ///< values of the variable, ascending
  std::vector<double> alphas;        ///< ascending
  std::vector<DiagramPoint> points;  ///< one row of alphas for each value
  std::vector<Thresholds> lines;     ///< at each value
  int failed = 0;                    ///< points that did not converge

  const DiagramPoint& at(std::size_t value, std::size_t alpha) const { return points[value * alphas.size() + alpha]; }
};

/// Solves every point, rows over threads (0: all; results do not depend on their number). Within a row each α starts
/// from the solution before it: where solutions coexist it is the branch that comes from small α. progress(done, total)
/// after every row, one call at a time. Throws std::invalid_argument for a problem out of range, or another target than
/// wishart with the variable kappa.
PhaseDiagram phase_diagram(const model::Problem& problem, DiagramVariable variable, std::span<const double> values,
                           std::span<const double> alphas, const theory::SolveOptions& options, int threads,
                           const std::function<void(int, int)>& progress = {});

const base::Description& describe(const PhaseDiagram*);

}  // namespace attnlaw::study
