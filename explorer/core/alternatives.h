#pragma once
/// What can be chosen at a problem: which options are accepted beside the others, and what refuses the rest.

#include <nlohmann/json_fwd.hpp>

namespace attnlaw::explorer {

/// {"problem": the document without what is a default, "full": with everything, "choices": {field: {choice: {"problem"}
/// or {"refused": message}}}, "refused": {field: message} of numbers that must stay as they are, "together": {field:
/// [fields]} of numbers that move with others alone}. A choice takes along what depends on it: another attention has
/// tokens, target and student of its own. Throws std::invalid_argument for a document that is no problem.
nlohmann::json alternatives(const nlohmann::json& document);

}  // namespace attnlaw::explorer
