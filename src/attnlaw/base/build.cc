#include "attnlaw/base/build.h"

#include <fmt/core.h>

#include <Eigen/Core>
#include <boost/version.hpp>
#include <nlohmann/json.hpp>

extern "C" {
char* openblas_get_config();
char* openblas_get_corename();
}

namespace attnlaw::base {
namespace {

constexpr const char* kInstructionSet =
#if defined(__AVX512F__)
    "AVX-512";
#elif defined(__AVX2__)
    "AVX2";
#else
    "baseline";
#endif

}  // namespace

Build build() {
  return {
      ATTNLAW_VERSION,
      ATTNLAW_BUILD_TYPE,
      __VERSION__,
      kInstructionSet,
      openblas_get_config(),
      openblas_get_corename(),
      fmt::format("{}.{}.{}", EIGEN_WORLD_VERSION, EIGEN_MAJOR_VERSION, EIGEN_MINOR_VERSION),
      BOOST_LIB_VERSION,
      fmt::format("{}.{}.{}", NLOHMANN_JSON_VERSION_MAJOR, NLOHMANN_JSON_VERSION_MINOR, NLOHMANN_JSON_VERSION_PATCH),
      fmt::format("{}", FMT_VERSION)};
}

}  // namespace attnlaw::base
