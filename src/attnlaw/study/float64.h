#pragma once
/// Arrays as bytes, in the store and in messages between processes.

#include <cstddef>
#include <span>
#include <vector>

namespace attnlaw::study {

/// float64, little-endian, whatever the machine.
std::vector<std::byte> little_endian(std::span<const double> values);

/// The numbers of such bytes; what does not make up a number at the end is left out.
std::vector<double> numbers_in(std::span<const std::byte> bytes);

}  // namespace attnlaw::study
