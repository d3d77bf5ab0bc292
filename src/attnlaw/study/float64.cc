#include "attnlaw/study/float64.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace attnlaw::study {

std::vector<std::byte> little_endian(std::span<const double> values) {
  std::vector<std::byte> bytes(values.size_bytes());
  if (!values.empty()) std::memcpy(bytes.data(), values.data(), bytes.size());
  if constexpr (std::endian::native == std::endian::big)
    for (auto first = bytes.begin(); first != bytes.end(); first += sizeof(double))
      std::reverse(first, first + sizeof(double));
  return bytes;
}

std::vector<double> numbers_in(std::span<const std::byte> given) {
  std::vector<std::byte> bytes(given.begin(), given.end());
  if constexpr (std::endian::native == std::endian::big)
    for (auto first = bytes.begin(); first != bytes.end(); first += sizeof(double))
      std::reverse(first, first + sizeof(double));
  std::vector<double> values(bytes.size() / sizeof(double));
  if (!values.empty()) std::memcpy(values.data(), bytes.data(), values.size() * sizeof(double));
  return values;
}

}  // namespace attnlaw::study
