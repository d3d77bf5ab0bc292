#pragma once
/// A penalty of in-context regression as options and documents name it: a number, the limit 0+, or the rule that finds
/// the best one.

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>

#include "attnlaw/laws/in_context/in_context.h"

namespace attnlaw::laws {

struct InContextPenalty {
  std::optional<InContextTest> optimal;  ///< the error that it makes least, if a rule finds it
  double value = 0;                      ///< λ otherwise; 0 is the limit 0+

  bool operator==(const InContextPenalty&) const = default;
};

/// Returns a number, "0+" or the name of the rule.
nlohmann::json to_json(const InContextPenalty& penalty);

/// Reads what to_json writes. Throws std::invalid_argument that names `option`, the value, and what is accepted.
InContextPenalty in_context_penalty(const std::string& option, const nlohmann::json& value);

/// Predicts at the penalty; λ of the model is not read.
InContextPrediction predict_in_context(InContextModel model, const InContextPenalty& penalty);

}  // namespace attnlaw::laws
