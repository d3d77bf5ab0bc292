#pragma once
/// Attention pooling as JSON: the keys of `attnlaw pooling` (docs/json.md).

#include <nlohmann/json_fwd.hpp>

#include "attnlaw/laws/pooling/pooling.h"
#include "attnlaw/laws/pooling/simulation.h"

namespace attnlaw::laws {

/// "hidden", "above" or "gap".
const char* name(Place place);

/// `model`, `bulk`, `levels`, `ceiling`, `phantom_ratio`, `phantom`.
nlohmann::json to_json(const PoolingPrediction& prediction);
/// `place`, `eigenvalue`, `overlap`.
nlohmann::json to_json(const Spike& spike);
/// `zero_mass`, `x`, `density`, `cdf`, `mass_error`.
nlohmann::json to_json(const FixedLengthLaw& law);
/// `given`, `mean`, `harmonic`, `optimal`, `harmonic_beats_mean`.
nlohmann::json to_json(const PoolingChoices& choices);
/// `d`, `vocabulary`, `sequences`, `centred`, `instances`, `mean`, `standard_error`, `difference`,
/// `kolmogorov_distance`, `eigenvalues`; where asked for `fixed_length_distance`.
nlohmann::json to_json(const PoolingExperiment& experiment);

}  // namespace attnlaw::laws
