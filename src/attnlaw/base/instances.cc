#include "attnlaw/base/instances.h"

#include <fmt/format.h>

#include <algorithm>

#include "attnlaw/base/blas_call.h"
#include "attnlaw/base/reject.h"

namespace attnlaw::base {

void require_threads(int threads) {
  if (threads < 0) reject("threads must be an integer >= 0 (0: all available), got {}", threads);
}

void require_instances(int instances, int threads) {
  if (instances < 1) reject("instances must be an integer >= 1, got {}", instances);
  require_threads(threads);
}

int instances_at_a_time(int instances, int threads) { return std::min(instances, thread_count(threads)); }

double thread_bytes(int threads) {
  if (!address_space_is_limited()) return 0;
  constexpr double kStackAndArena = (8 + 64) * 1048576.0;
  return threads * static_cast<double>(kBlasBuffer) + std::max(0, threads - 1) * kStackAndArena;
}

void require_memory(double bytes, std::string_view what, std::string_view remedy, std::uint64_t available) {
  if (bytes <= static_cast<double>(available)) return;
  throw MemoryError(fmt::format("{} needs {} of memory, this process may use {}; choose {}", what, bytes_text(bytes),
                                bytes_text(static_cast<double>(available)), remedy));
}

}  // namespace attnlaw::base
