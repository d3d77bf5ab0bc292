#include "attnlaw/theory/sensitivity.h"

#include <algorithm>
#include <initializer_list>
#include <limits>
#include <utility>

namespace attnlaw::theory {
namespace {

/// Differences over this share of a parameter leave out its square. Laws are taken to rounding: near perfect recovery
/// errors are small differences of overlaps.
constexpr double kRelativeStep = 1e-3;
/// In units of Q*, the step of a noise that is 0 or close to it; all other parameters are > 0.
constexpr double kLeastNoise = 0.1;

struct Term {
  double weight;
  Errors errors;
};

Errors weighted_sum(std::initializer_list<Term> terms) {
  Errors sum;
  for (const auto& [weight, errors] : terms)
    for (double Errors::*figure :
         {&Errors::train, &Errors::test, &Errors::estimation, &Errors::objective, &Errors::test_noisy})
      sum.*figure += weight * errors.*figure;
  return sum;
}

}  // namespace

ErrorResponse::ErrorResponse(const model::Problem& problem, const matrix_laws::Spectrum& target,
                             std::optional<RidgelessPhase> phase, const Resolution& resolution, const FixedPoint& at,
                             bool near)
    : problem_(problem),
      target_(target),
      phase_(phase),
      resolution_{resolution.rule, kLawRounding},
      at_(at),
      near_(near),
      student_(student(problem)) {
  if (at.overlaps.q > 0) slope_ = exact_slope(student_.map(), at.overlaps, workspace_);
}

TrainedStudent ErrorResponse::student(const model::Problem& problem) const {
  TrainedStudent student(problem, target_, phase_, resolution_);
  if (std::optional<TrainedStudent> near = near_ ? student.near_target() : std::nullopt) return std::move(*near);
  return student;
}

TrainedStudent ErrorResponse::student(Parameter parameter, double value) const {
  if (parameter == &model::Problem::lambda) return student_.at_lambda(value);
  model::Problem moved = problem_;
  moved.*parameter = value;
  return student(moved);
}

Coordinates ErrorResponse::image(Parameter parameter, const TrainedStudent& student) {
  // λ enters the prior alone.
  const Step step = parameter == &model::Problem::lambda
                        ? student.map().step_from({at_.step.conjugates}, OutputChannel::kAll, &workspace_)
                        : student.map().step(at_.overlaps, OutputChannel::kAll, &workspace_);
  return student.map().chart().coordinates(step.prior.overlaps);
}

Errors ErrorResponse::errors_at(const TrainedStudent& student, const Coordinates& motion) {
  FixedPoint moved;
  if (slope_) {
    const Chart& chart = student.map().chart();
    moved.overlaps = chart.overlaps(chart.coordinates(at_.overlaps) + motion);
    moved.step = student.map().step(moved.overlaps, OutputChannel::kAll, &workspace_);
  } else {
    moved.step = student.map().step_from_zero();
  }
  return student.errors(moved);
}

Errors ErrorResponse::derivative(Parameter parameter) {
  constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();
  if (near_ && parameter == &model::Problem::noise) return {kUnknown, kUnknown, kUnknown, kUnknown, kUnknown};
  const double value = problem_.*parameter,
               step = kRelativeStep * (parameter == &model::Problem::noise
                                           ? std::max(value, kLeastNoise * target_.second_moment())
                                           : value);
  // From above at an end of the range: three values instead of two.
  const bool one_sided = value < step;
  const double lower = one_sided ? value : value - step, upper = value + step;
  const TrainedStudent below = student(parameter, lower), above = student(parameter, upper);
  const Coordinates speed =
      slope_ ? Coordinates(slope_->step(image(parameter, above) - image(parameter, below)) / (upper - lower))
             : Coordinates();
  const auto errors = [&](const TrainedStudent& of, double at) {
    return errors_at(of, slope_ ? Coordinates((at - value) * speed) : Coordinates());
  };
  const Errors low = errors(below, lower), high = errors(above, upper);
  if (!one_sided) return weighted_sum({{-0.5 / step, low}, {0.5 / step, high}});
  const double farther = value + 2 * step;
  return weighted_sum(
      {{-1.5 / step, low}, {2 / step, high}, {-0.5 / step, errors(student(parameter, farther), farther)}});
}

}  // namespace attnlaw::theory
