#include "attnlaw/model/problem_file.h"

#include <filesystem>
#include <nlohmann/json.hpp>

namespace attnlaw::model {

nlohmann::json with_target_beside(const std::string& path, nlohmann::json problem) {
  const std::string kind = "file:";
  if (!problem.contains("target") || !problem["target"].is_string()) return problem;
  const std::string spec = problem["target"];
  if (!spec.starts_with(kind)) return problem;
  const auto neighbour = std::filesystem::path(path).parent_path() / spec.substr(kind.size());
  if (std::filesystem::is_regular_file(neighbour)) problem["target"] = kind + neighbour.string();
  return problem;
}

nlohmann::json problem_of_result(nlohmann::json problem) {
  if (problem.is_object() && problem.value("lambda", nlohmann::json()) == 0) problem["lambda"] = "0+";
  return problem;
}

}  // namespace attnlaw::model
