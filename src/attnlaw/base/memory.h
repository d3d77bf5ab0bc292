#pragma once
/// Measures the memory that this process may use.

#include <cstdint>
#include <stdexcept>
#include <string>

namespace attnlaw::base {

/// Is thrown when data do not fit into the memory that this process may use; the message names the bytes needed and the
/// bytes there are.
struct MemoryError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Returns how many bytes this process may use: the physical memory or, if that is less, what the limit of its control
/// group (v2 or v1, of any level) or its resource limits (`ulimit -v`, `ulimit -d`) leave beside what it has already.
/// Measured once, when it is asked for the first time.
std::uint64_t memory_limit();

/// Returns a number of bytes as a person reads it, to three digits in a binary unit: 574 GiB, 1.86 GiB, 12 bytes.
std::string bytes_text(double bytes);

}  // namespace attnlaw::base
