#pragma once
/// The rules on which the equations of a problem are solved, from coarse to fine (docs/theory/quadrature.md).

#include "attnlaw/theory/trained_student.h"

namespace attnlaw::theory {

/// A coarse rule finds the neighbourhood of the fixed point, finer ones meet the accuracy. Closed forms have one rule:
/// there it is the law of the prior alone that is taken coarsely at first.
///
/// Labels whose rows have two scores take grids: how far the integrand is analytic gives their steps. Where that takes
/// too many points, or where proximal points jump, and for all other labels, Sobol points grow in number instead.
class PointLadder {
 public:
  /// `accuracy` is that of SolveOptions. `phase`: as TrainedStudent has it.
  PointLadder(const model::Problem& problem, double Q_star, std::optional<RidgelessPhase> phase, double accuracy);

  const PointRule& rule() const { return rule_; }
  Resolution resolution() const;
  /// How close to the fixed point a solver is to come.
  Tolerance tolerance() const;
  /// The rule is not meant to meet the accuracy.
  bool coarse() const { return coarse_; }
  /// The conjugates are means over the points of the rule.
  bool has_points() const { return !closed_form_; }
  /// About how many points the rule has.
  double points() const;
  /// So many points that another way to the same fixed point takes minutes.
  bool many_points() const;

  /// What was found on a rule.
  struct Outcome {
    Overlaps overlaps;
    double several = 0;  ///< OutputChannel::Result::several
    double error = 0;    ///< in units of the accuracy
  };
  /// Moves on to the rule that the accuracy is expected to need; false where there is none.
  bool refine(const Outcome& outcome);

 private:
  /// The grid for an error of about e^−digits at these overlaps.
  GridRule grid_at(const Overlaps& overlaps, double digits) const;
  double next_digits(const Outcome& outcome) const;
  bool refine_sobol(const Outcome& outcome);

  model::Problem problem_;
  double Q_star_;
  double accuracy_;
  bool closed_form_;
  int last_level_;
  PointRule rule_;
  bool coarse_ = true;
  double digits_ = 0;
};

/// A fine rule for the student S = 0, whose field has no part of its own.
PointRule rule_at_zero(const model::Problem& problem, double Q_star);

}  // namespace attnlaw::theory
