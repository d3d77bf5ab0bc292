#pragma once
/// `solve`: the theory of one problem.

#include "attnlaw/operations/operation.h"
#include "attnlaw/operations/problem_options.h"

namespace attnlaw::operations {

struct Solve {
  struct Input {
    ProblemOptions problem;
    TheoryOptions theory;
    bool sensitivities = false;
    bool isotropic = false;  ///< NumericalPrior::Approximation::isotropic
  };
  struct Output {
    theory::Solution solution;
    model::Problem asked;  ///< as given: its λ may be a rule
  };
  static constexpr About about{"solve", "theory at one point", "attnlaw solve --alpha 0.3 --lambda 0.05"};

  static Input read(const nlohmann::json& options);
  static Output run(const Input& input, const Run& run);
  static view::Result show(const Output& output, const Run& run);
};

const base::Description& describe(const Solve::Input*);
const base::Description& describe(const Solve::Output*);

}  // namespace attnlaw::operations
