#pragma once
/// How this library was built, and on what it stands.

#include <string>

#include "attnlaw/base/describe.h"

namespace attnlaw::base {

struct Build {
  std::string attnlaw;          ///< its version
  std::string build;            ///< "Release", "Debug", …
  std::string compiler;         ///< version of g++ or clang
  std::string instruction_set;  ///< of the numerical rooms: "AVX-512", "AVX2" or "baseline"
  std::string blas, blas_kernel;
  std::string eigen, boost, nlohmann_json, fmt;
};

Build build();
const Description& describe(const Build*);

}  // namespace attnlaw::base
