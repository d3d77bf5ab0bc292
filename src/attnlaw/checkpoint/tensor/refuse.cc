#include "attnlaw/checkpoint/tensor/refuse.h"

#include "attnlaw/base/printable.h"

namespace attnlaw::checkpoint {

std::string printable(std::string_view name) {
  constexpr std::size_t kMost = 200;
  return base::printable_name(name, kMost);
}

std::string printable_path(std::string_view path) { return base::printable(path); }

}  // namespace attnlaw::checkpoint
