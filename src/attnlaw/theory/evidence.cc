#include "attnlaw/theory/evidence.h"

#include "attnlaw/model/custom_loss.h"
#include "attnlaw/model/custom_penalty.h"
#include "attnlaw/model/spectral_penalty.h"

namespace attnlaw::theory {

base::Evidence evidence(const model::Problem& problem) {
  using enum base::Evidence;
  const bool linear = problem.head == model::Head::linear;
  const bool squared =
      problem.loss == model::Loss::square && problem.readout == model::Readout::rows && !problem.custom_loss;
  const bool quadratic_network = linear && squared && !problem.cross() && problem.tokens == 1;
  if (problem.custom_penalty && !model::is_convex_penalty(problem.custom_penalty->name)) return heuristic;
  if (problem.student == model::Student::bayes) return quadratic_network ? theorem : heuristic;
  const bool own_penalty = !problem.custom_penalty;
  if (quadratic_network && own_penalty && problem.student == model::Student::tied && problem.width >= 1) return theorem;
  const bool convex_loss =
      problem.custom_loss ? problem.custom_loss->convex : linear || problem.loss == model::Loss::cross_entropy;
  const bool convex = convex_loss && problem.width >= 1;
  return convex && !problem.untied_self() ? derived : heuristic;
}

}  // namespace attnlaw::theory
