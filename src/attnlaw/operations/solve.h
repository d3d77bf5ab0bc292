#pragma once
/// `solve`: the theory of one problem, or of a curve of problems.

#include "attnlaw/operations/operation.h"
#include "attnlaw/operations/problem_grid.h"

namespace attnlaw::operations {

struct Solve {
  struct Input {
    ProblemOptions problem;
    TheoryOptions theory;
    bool sensitivities = false;
    bool isotropic = false;  ///< NumericalPrior::Approximation::isotropic
    ProblemGrid grid = {};   ///< with several values of options
  };
  struct Output {
    theory::Solution solution;                ///< of one problem
    model::Problem asked;                     ///< as given: its λ may be a rule
    std::optional<view::ProblemCurve> curve;  ///< instead

    bool one() const { return !curve; }
  };
  static constexpr About about{.name = "solve",
                               .summary = "theory at one point, or along a curve",
                               .example = "attnlaw solve --alpha 0.05:2:40:log --lambda 0.01,0.1 --html curve.html",
                               .draws = true,
                               .curves = true};

  static Input read(const nlohmann::json& options);
  static Output run(const Input& input, const Run& run);
  static view::Result show(const Output& output, const Run& run);
};

const base::Description& describe(const Solve::Input*);
const base::Description& describe(const Solve::Output*);

}  // namespace attnlaw::operations
