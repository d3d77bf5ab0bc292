#include "core/in_context.h"

#include <nlohmann/json.hpp>

#include "attnlaw/base/fields/fields.h"
#include "attnlaw/base/fields/schema.h"
#include "attnlaw/laws/in_context/penalty.h"
#include "attnlaw/laws/in_context/singular_values.h"

namespace attnlaw::explorer {
namespace {

using nlohmann::json;

/// Points of each band of a density that is drawn.
constexpr int kDensityPoints = 120;

laws::InContextPrediction predict(json problem) {
  const laws::InContextPenalty penalty = laws::in_context_penalty("lambda", problem.value("lambda", json("0+")));
  problem.erase("lambda");
  laws::InContextModel model;
  base::read(problem, model, "a problem of in-context regression");
  return laws::predict_in_context(model, penalty);
}

}  // namespace

json describe_in_context() {
  return base::schema_of(base::detail::description_of<laws::InContextModel>(), base::json_of(laws::InContextModel{}));
}

json in_context(json problem, const std::string& along, const std::vector<double>& values) {
  if (!along.empty()) {
    json points = json::array();
    for (const double value : values) {
      problem[along] = value;
      const laws::InContextPrediction prediction = predict(problem);
      points.push_back({{"value", value},
                        {"lambda", prediction.model.lambda},
                        {"new_tasks", prediction.new_tasks},
                        {"training_tasks", prediction.training_tasks},
                        {"train", prediction.train},
                        {"baselines", base::json_of(prediction.baselines)}});
    }
    return {{"points", points}};
  }
  const laws::InContextPrediction prediction = predict(std::move(problem));
  json document = base::json_of(prediction);
  if (const auto law = laws::SingularValueLaw::of(prediction))
    document["density"] = base::json_of(law->curve(kDensityPoints));
  return document;
}

}  // namespace attnlaw::explorer
