#include "core/alternatives.h"

#include <iterator>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <vector>

#include "attnlaw/base/fields/fields.h"
#include "attnlaw/model/problem.h"

namespace attnlaw::explorer {
namespace {

using nlohmann::json;

/// λ of a student that had none before.
constexpr double kSomeLambda = 0.05;

/// One target of every kind that needs no file.
const char* const kTargets[] = {"wishart:0.5", "product:0.5", "powerlaw:1.25,200", "spikes:200,6,4,3"};

/// A document without what is the default beside the rest of it. alpha and lambda stay: they have no default.
json without_defaults(const model::Problem& problem) {
  json document = base::json_of(problem);
  // What other defaults depend on.
  const json deciding{{"attention", document["attention"]}, {"labels", document["labels"]}};
  const json plain = base::json_of(model::Problem{}), defaults = base::json_of(model::default_problem(deciding));
  for (const auto& [name, value] : defaults.items()) {
    const json& otherwise = deciding.contains(name) ? plain[name] : value;
    if (name != "alpha" && name != "lambda" && document.contains(name) && document[name] == otherwise)
      document.erase(name);
  }
  if (document["lambda"].is_null()) document.erase("lambda");
  return document;
}

/// Options that follow another one unless somebody says otherwise: with a new value of that one they start from its
/// defaults.
std::vector<std::string> followers(const std::string& field) {
  if (field == "attention") return {"tokens", "target", "student", "width", "penalty"};
  if (field == "labels") return {"head", "readout", "loss", "beta", "target_beta"};
  if (field == "student") return {"width"};
  return {};
}

/// The document with another value of a field, and what follows it.
json with_choice(json document, const std::string& field, const json& choice) {
  for (const std::string& name : followers(field)) document.erase(name);
  document[field] = choice;
  const bool penalised = document.value("student", "") != "bayes";
  if (!penalised) document.erase("lambda");
  if (penalised && !document.contains("lambda")) document["lambda"] = kSomeLambda;
  return document;
}

/// {"problem"} or {"refused": message}.
json tried(const json& document) {
  try {
    return {{"problem", without_defaults(model::problem_from_json(document))}};
  } catch (const std::exception& error) {
    return {{"refused", error.what()}};
  }
}

/// Numbers that some students have in common.
std::vector<std::string> partners(const std::string& field) {
  if (field == "beta") return {"target_beta"};
  if (field == "target_beta") return {"beta"};
  return {};
}

/// A value beside the one that a number has: whether it can change at all.
double beside(const base::Field& field, double value) {
  constexpr double kShare = 0.9;  // downwards: a width above 1 is as good as 1
  return field.about.range.open || value > 0 ? kShare * value : 1 - kShare;
}

}  // namespace

json alternatives(const json& given) {
  const model::Problem problem = model::problem_from_json(given);
  const json document = without_defaults(problem), full = base::json_of(problem);
  json choices = json::object(), refused = json::object(), together = json::object();
  const auto offer = [&](const std::string& field, const std::vector<std::string>& words) {
    for (const std::string& word : words) choices[field][word] = tried(with_choice(document, field, word));
  };
  base::for_each_field(describe(&problem), [&](const base::Field& field) {
    if (field.type.kind == base::Kind::choice) offer(field.name, field.type.choices);
    if (field.type.kind != base::Kind::number) return;
    const double other = beside(field, full[field.name].get<double>());
    json moved = with_choice(document, field.name, other);
    const json alone = tried(moved);
    if (!alone.contains("refused")) return;
    for (const std::string& name : partners(field.name)) moved[name] = other;
    if (tried(moved).contains("refused"))
      refused[field.name] = alone["refused"];
    else
      together[field.name] = partners(field.name);
  });
  offer("target", {std::begin(kTargets), std::end(kTargets)});
  offer("lambda", {"0+", "optimal", "edge"});
  choices["lambda"]["value"] =
      tried(with_choice(document, "lambda", full["lambda"].is_number() ? full["lambda"] : json(kSomeLambda)));
  return {{"problem", document}, {"full", full}, {"choices", choices}, {"refused", refused}, {"together", together}};
}

}  // namespace attnlaw::explorer
