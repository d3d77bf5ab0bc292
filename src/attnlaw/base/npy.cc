#include "attnlaw/base/npy.h"

#include <bit>
#include <cstring>

#include "attnlaw/base/reject.h"

namespace attnlaw::base {

std::string npy_bytes(std::span<const double> values, std::size_t rows, std::size_t columns) {
  static_assert(std::endian::native == std::endian::little);
  if (values.size() != rows * columns)
    reject("an array of {} times {} takes as many values, got {}", rows, columns, values.size());
  std::string header = fmt::format("{{'descr': '<f8', 'fortran_order': True, 'shape': ({}, {}), }}", rows, columns);
  // Magic, version and length take 10 bytes; the data begin at a multiple of 64.
  constexpr std::size_t kBefore = 10, kAlignment = 64;
  header.append(kAlignment - 1 - (kBefore + header.size()) % kAlignment, ' ');
  header += '\n';
  std::string bytes("\x93NUMPY\x01\x00", 8);
  bytes += static_cast<char>(header.size() % 256);
  bytes += static_cast<char>(header.size() / 256);
  bytes += header;
  const std::size_t start = bytes.size();
  bytes.resize(start + values.size_bytes());
  if (!values.empty()) std::memcpy(bytes.data() + start, values.data(), values.size_bytes());
  return bytes;
}

}  // namespace attnlaw::base
