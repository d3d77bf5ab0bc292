#include "attnlaw/theory/linear_channel.h"

namespace attnlaw::theory {
namespace {

/// g = (y − ω)/(V + 1/4): 1/4 is the inverse curvature of the loss 2(z − y)².
constexpr double kInverseCurvature = 0.25;

}  // namespace

OutputChannel::Result LinearChannel::evaluate(const Overlaps& overlaps, int /*replicate*/) const {
  const double width = overlaps.V + kInverseCurvature;
  const double gain = 2 * alpha_ * scores_ / width;
  const double residual = estimation(overlaps) + noise_;
  const double shrinkage = kInverseCurvature / width;
  return {{gain * residual / width, gain, gain}, 2 * scores_ * residual * shrinkage * shrinkage};
}

double LinearChannel::test(const Overlaps& overlaps, int /*replicate*/) const {
  return 2 * scores_ * estimation(overlaps);
}

double LinearChannel::squared_response(const Overlaps& overlaps) const {
  const double width = overlaps.V + kInverseCurvature;
  return 2 * alpha_ * scores_ / (width * width);
}

}  // namespace attnlaw::theory
