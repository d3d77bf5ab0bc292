#pragma once
/// Solutions over a plane: α against another variable of the problem, with the lines of the thresholds.

#include <cstddef>
#include <string>
#include <vector>

#include "attnlaw/study/study.h"
#include "attnlaw/study/thresholds.h"

namespace attnlaw::study {

using base::name;

/// The variable of a phase diagram beside α.
enum class DiagramVariable {
  kappa,  ///< κ* of a Wishart target
  noise   ///< Δ
};
std::span<const base::Named<DiagramVariable>> names_table(DiagramVariable);

/// The points of a phase diagram.
struct Plane {
  model::Problem problem;  ///< as given; its α and the variable are not read
  DiagramVariable variable = DiagramVariable::kappa;
  std::vector<double> values;  ///< values of the variable, ascending
  std::vector<double> alphas;  ///< ascending
};

/// The figures of a point that has none are NaN.
struct DiagramPoint {
  double train, test, estimation;  ///< as those of theory::Errors
  double replicon;                 ///< as Diagnostics::replicon
  bool converged = false;
};

struct PhaseDiagram : Plane {
  std::vector<DiagramPoint> points;  ///< one row of alphas for each value
  std::vector<Thresholds> lines;     ///< at each value
  int unconverged = 0;               ///< points that did not converge, or failed
  int left = 0;                      ///< points that were not computed
  std::string fault = {};            ///< what the first of the points that failed says

  const DiagramPoint& at(std::size_t value, std::size_t alpha) const { return points[value * alphas.size() + alpha]; }
};

/// The study that solves every point, tasks row by row. Within a row each α starts from the solution before it: where
/// solutions coexist it is the branch that comes from small α. Throws std::invalid_argument for a problem out of range,
/// or another target than wishart or product with the variable kappa.
Study diagram_study(const Plane& plane, double accuracy);

/// The diagram as far as the outcomes of that study are known.
PhaseDiagram phase_diagram(const Plane& plane, const Outcomes& outcomes);

const base::Description& describe(const PhaseDiagram*);

}  // namespace attnlaw::study
