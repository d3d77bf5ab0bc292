#include <fmt/core.h>
#include <lapacke.h>

#include <Eigen/Core>
#include <boost/version.hpp>
#include <nlohmann/json.hpp>

#include "attnlaw/base/instruction_set.h"
#include "commands.h"
#include "output.h"

extern "C" {
char* openblas_get_config();
char* openblas_get_corename();
}

namespace attnlaw::app {
int run(const VersionArguments& arguments) {
  const std::vector<std::pair<std::string, std::string>> facts{
      {"attnlaw", ATTNLAW_VERSION},
      {"build", ATTNLAW_BUILD_TYPE},
      {"compiler", __VERSION__},
      {"instruction set", std::string(base::instruction_set())},
      {"BLAS", openblas_get_config()},
      {"BLAS kernel", openblas_get_corename()},
      {"Eigen", fmt::format("{}.{}.{}", EIGEN_WORLD_VERSION, EIGEN_MAJOR_VERSION, EIGEN_MINOR_VERSION)},
      {"Boost", BOOST_LIB_VERSION},
      {"nlohmann-json",
       fmt::format("{}.{}.{}", NLOHMANN_JSON_VERSION_MAJOR, NLOHMANN_JSON_VERSION_MINOR, NLOHMANN_JSON_VERSION_PATCH)},
      {"fmt", fmt::format("{}", FMT_VERSION)}};
  Result result{{{"", {{"part"}, {"version"}}}}, {{"schema", "attnlaw/1"}, {"command", "version"}}, {}};
  for (const auto& [part, text] : facts) {
    result.tables.front().rows.push_back({part, text});
    result.document["parts"][part] = text;
  }
  result.rows = result.tables.front();
  emit(arguments.common, result);
  return 0;
}

}  // namespace attnlaw::app
