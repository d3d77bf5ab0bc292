#pragma once
/// Problems in files.

#include <nlohmann/json_fwd.hpp>
#include <string>

namespace attnlaw::model {

/// A target `file:PATH` of a problem that stands in the file `path` is looked for beside that file first.
nlohmann::json with_target_beside(const std::string& path, nlohmann::json problem);

}  // namespace attnlaw::model
