#pragma once
/// Measures the memory that this process may use.

#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>

namespace attnlaw::base {

/// The data do not fit into the memory of this machine or control group; the message names the bytes needed and the
/// bytes there are.
struct MemoryError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Bytes: the physical memory, or the limit of a control group of this process (v2 or v1) if that is less.
std::uint64_t memory_limit();

/// The least memory limit of the control groups listed in `membership` (the text of /proc/self/cgroup) and of their
/// parents, read below `root` (/sys/fs/cgroup); the largest number if there is none.
std::uint64_t control_group_limit(const std::string& root, std::string_view membership);

}  // namespace attnlaw::base
