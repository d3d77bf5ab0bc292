#pragma once
/// Says how this library was built, and which versions of others it stands on.

#include <string>

#include "attnlaw/base/describe.h"

namespace attnlaw::base {

struct Build {
  std::string attnlaw;          ///< version of attnlaw
  std::string build;            ///< "Release", "Debug", …
  std::string compiler;         ///< version of the compiler (g++ or clang)
  std::string instruction_set;  ///< what the numerical rooms were compiled for: "AVX-512", "AVX2" or "baseline"
  std::string blas, blas_kernel;
  std::string eigen, boost, nlohmann_json, fmt;
};

Build build();
const Description& describe(const Build*);

}  // namespace attnlaw::base
