#pragma once
/// Models of in-context regression as tests write them.

#include <limits>

#include "attnlaw/laws/in_context/in_context.h"

namespace attnlaw::laws {

inline constexpr double kInf = std::numeric_limits<double>::infinity();

inline InContextModel model_of(double context, double tasks, double sequences, double noise, double lambda) {
  InContextModel model;
  model.context = context, model.tasks = tasks, model.sequences = sequences;
  model.noise = noise, model.lambda = lambda;
  return model;
}

}  // namespace attnlaw::laws
