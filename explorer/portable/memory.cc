/// base/memory.h and what base/instances.h asks of it, where there is the memory of a page.

#include "attnlaw/base/memory.h"

#include <string>

#include "attnlaw/base/instances.h"

namespace attnlaw::base {

std::uint64_t memory_limit() { return std::uint64_t{1} << 31; }

void require_memory(double bytes, std::string_view what, std::string_view remedy, std::uint64_t available) {
  if (bytes <= static_cast<double>(available)) return;
  throw MemoryError(std::string(what) + " needs more memory than a page in a browser has; choose " +
                    std::string(remedy));
}

}  // namespace attnlaw::base
