#pragma once
/// Solutions along α: branches, spinodals, the replicon line (docs/theory/thresholds.md).

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "attnlaw/theory/solve.h"

namespace attnlaw::theory {

/// One solution of a branch.
struct BranchPoint {
  double alpha = 0;
  Overlaps overlaps;
  Errors errors;
  double replicon = 0;
  bool lowest = false;  ///< of lowest free energy (the objective per d²) among all branches at this α
};

/// A connected family of stable solutions.
struct Branch {
  std::string name;                 ///< "uninformed" or "informed", after where it was entered; "both" if the two agree
  std::vector<BranchPoint> points;  ///< ascending in α
};

/// Where a branch of stable solutions ends, located by bisection.
struct Spinodal {
  double alpha = 0;
  double width = 0;    ///< of the bracket
  std::string branch;  ///< the branch that ends
  bool upper = false;  ///< it ends going up in α (else going down)
};

struct Continuation {
  std::vector<Branch> branches;
  std::vector<Spinodal> spinodals;
  /// α at which R of the lowest branch passes 1, interpolated in log α (not where it is infinite: a rank binds there).
  std::vector<double> replicon_crossings;
  bool converged = true;
  std::size_t points = 0;  ///< of the point set, 0 for closed forms
  double seconds = 0;
};

/// Follows the solutions of `problem` over ascending alphas: upwards from the uninformed start at the lowest α,
/// downwards from the informed one (S near S*) at the highest. Where the two agree they are one branch. Every step
/// starts from its neighbour, on one point set for all α: differences along a branch are smooth. λ by
/// problem.lambda_rule, `value` only. Throws std::invalid_argument for fewer than two alphas, alphas that do not
/// ascend, or another λ rule or student bayes.
Continuation continue_in_alpha(const model::Problem& problem, const std::vector<double>& alphas,
                               const SolveOptions& options = {});

const base::Description& describe(const BranchPoint*);
const base::Description& describe(const Branch*);
const base::Description& describe(const Spinodal*);
const base::Description& describe(const Continuation*);

}  // namespace attnlaw::theory
