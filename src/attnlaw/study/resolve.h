#pragma once
/// From a rule for λ to the number that an experiment trains with.

#include <nlohmann/json_fwd.hpp>
#include <optional>

#include "attnlaw/theory/solve.h"

namespace attnlaw::study {

struct Trainable {
  model::Problem problem;                               ///< its λ a number (or none, for the student bayes)
  std::optional<theory::OptimalLambda> optimal_lambda;  ///< present if the rule was `optimal`
};

/// Throws std::invalid_argument unless λ is a number, or the student has none.
void require_trainable(const model::Problem& problem);

/// λ = optimal or edge: the theory turns the rule into a number.
bool theory_finds_lambda(const model::Problem& problem);

/// Such a λ replaced by some number: to find out, before it is known, whether an experiment is possible at all.
model::Problem with_some_lambda(const model::Problem& problem);

/// The problem with the λ that a result states: a number, 0 or 0+ for the limit; one of no other kind changes nothing.
model::Problem with_found_lambda(model::Problem problem, const nlohmann::json& lambda);

/// λ = optimal or edge becomes the number that the theory finds on the target as given; anything else stays. Throws
/// std::invalid_argument if the best λ is 0+, at which nothing can be trained.
Trainable resolve_lambda(const model::Problem& problem, const theory::SolveOptions& options);

}  // namespace attnlaw::study
