#pragma once
/// Measures the memory that this process may use.

#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>

namespace attnlaw::base {

/// Is thrown when data do not fit into the memory of this machine or control group; the message names the bytes needed
/// and the bytes there are.
struct MemoryError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Returns how many bytes this process may use: the physical memory, or the limit of its control group (v2 or v1) if
/// that is less.
std::uint64_t memory_limit();

/// Returns the least memory limit, in bytes, of the control groups listed in `membership` (the text of
/// /proc/self/cgroup) and of their parents, read below `root` (/sys/fs/cgroup); the largest number if there is none.
std::uint64_t control_group_limit(const std::string& root, std::string_view membership);

}  // namespace attnlaw::base
