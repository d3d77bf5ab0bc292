#include "attnlaw/base/build.h"
#include "attnlaw/base/fields/fields.h"

namespace attnlaw::base {

const Description& describe(const Build*) {
  static const Description description{
      "how the program was built, and on what it stands",
      {field("attnlaw", &Build::attnlaw, {.doc = "its version"}),
       field("build", &Build::build, {.doc = "how it was compiled"}),
       field("compiler", &Build::compiler, {.doc = "version of the compiler"}),
       field("instruction_set", &Build::instruction_set, {.doc = "what the numerical code was compiled for"}),
       field("blas", &Build::blas, {.doc = "configuration of OpenBLAS"}),
       field("blas_kernel", &Build::blas_kernel, {.doc = "kernels that OpenBLAS has chosen on this machine"}),
       field("eigen", &Build::eigen, {.doc = "version of Eigen"}),
       field("boost", &Build::boost, {.doc = "version of Boost"}),
       field("nlohmann_json", &Build::nlohmann_json, {.doc = "version of nlohmann-json"}),
       field("fmt", &Build::fmt, {.doc = "version of fmt"})}};
  return description;
}

}  // namespace attnlaw::base
