#include "attnlaw/base/instruction_set.h"

namespace attnlaw::base {

std::string_view instruction_set() {
#if defined(__AVX512F__)
  return "AVX-512";
#elif defined(__AVX2__)
  return "AVX2";
#else
  return "baseline";
#endif
}

}  // namespace attnlaw::base
