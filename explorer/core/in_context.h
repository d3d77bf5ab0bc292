#pragma once
/// In-context regression, as the page asks for it.

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

namespace attnlaw::explorer {

/// The fields of a problem of in-context regression, as documents describe them.
nlohmann::json describe_in_context();

/// Predicts at a problem: an InContextModel as documents have it, whose λ may also be a rule. Without `along` that is
/// the prediction, with the density of the singular values of the trained matrix where it is known; with the name of an
/// option the errors at each of its values. Throws std::invalid_argument for what is no problem.
nlohmann::json in_context(nlohmann::json problem, const std::string& along, const std::vector<double>& values);

}  // namespace attnlaw::explorer
