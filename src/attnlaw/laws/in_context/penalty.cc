#include "attnlaw/laws/in_context/penalty.h"

#include <nlohmann/json.hpp>

#include "attnlaw/base/json_text.h"
#include "attnlaw/base/names.h"
#include "attnlaw/base/reject.h"

namespace attnlaw::laws {

nlohmann::json to_json(const InContextPenalty& penalty) {
  if (penalty.optimal) return base::name(*penalty.optimal);
  return penalty.value == 0 ? nlohmann::json("0+") : nlohmann::json(penalty.value);
}

InContextPenalty in_context_penalty(const std::string& option, const nlohmann::json& value) {
  if (value.is_number()) return {std::nullopt, value.get<double>()};
  if (value == "0+") return {};
  for (const auto& [rule, word] : names_table(InContextTest{}))
    if (value == word) return {rule, 0};
  base::reject("{} takes numbers, 0+, optimal (least error on new tasks) or optimal-training, got {}", option,
               base::json_text(value));
}

InContextPrediction predict_in_context(InContextModel model, const InContextPenalty& penalty) {
  constexpr double kSome = 1;  // what a search for the best penalty is given, and does not read
  model.lambda = penalty.optimal ? kSome : penalty.value;
  if (penalty.optimal) model.lambda = optimal_lambda(model, *penalty.optimal);
  return predict_in_context(model);
}

}  // namespace attnlaw::laws
