#pragma once
/// What a reader left out.

#include <string>

namespace attnlaw::checkpoint {

/// A tensor or a layer that was left out, and why.
struct Skipped {
  std::string name;
  std::string reason;
};

}  // namespace attnlaw::checkpoint
