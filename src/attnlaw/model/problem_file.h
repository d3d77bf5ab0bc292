#pragma once
/// Helps to read problems from files.

#include <nlohmann/json_fwd.hpp>
#include <string>

namespace attnlaw::model {

/// Returns the problem, read from the file `path`, with a target `file:PATH` replaced by the file of that name beside
/// `path` if there is one.
nlohmann::json with_target_beside(const std::string& path, nlohmann::json problem);

/// Returns the problem in a result as a file states it: where the rule `edge` finds no penalty, the student is the
/// limit of a vanishing one, 0+, and no penalty of 0.
nlohmann::json problem_of_result(nlohmann::json problem);

/// Returns the scalars of a document, and arrays of them, as a TOML table; what is null is left out.
std::string toml_of(const nlohmann::json& document);

}  // namespace attnlaw::model
