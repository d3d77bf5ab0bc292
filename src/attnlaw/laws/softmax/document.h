#pragma once
/// The parts of the `softmax-law` document (docs/json.md).

#include <nlohmann/json_fwd.hpp>

#include "attnlaw/laws/softmax/finite_size.h"
#include "attnlaw/laws/softmax/simulation.h"

namespace attnlaw::laws {

const char* name(TokenModel tokens);
const char* name(Refinement refinement);

nlohmann::json to_json(const SoftmaxParameters& parameters);
nlohmann::json to_json(const SoftmaxLaw& law);
nlohmann::json to_json(const SoftmaxLaw::Curve& curve);
nlohmann::json to_json(const MarchenkoPasturDistance& distance);
nlohmann::json to_json(const FiniteSize& size);
nlohmann::json to_json(const AttentionSimulation& simulation, const AttentionComparison& comparison);

}  // namespace attnlaw::laws
