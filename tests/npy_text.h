#pragma once
/// Files of NumPy's format as texts, right and wrong ones.

#include <cstring>
#include <string>
#include <vector>

namespace attnlaw::test {

/// A file of NumPy's format, by its header in full, or by type and shape.
inline std::string raw_npy(const std::string& header, const std::string& numbers, int version = 1) {
  std::string content = "\x93NUMPY";
  content += static_cast<char>(version);
  content += '\0';
  for (int byte = 0; byte < (version == 1 ? 2 : 4); ++byte)
    content += static_cast<char>(header.size() >> (8 * byte) & 0xff);
  return content + header + numbers;
}
inline std::string npy(int version, const std::string& type, const std::string& shape, const std::string& numbers,
                       const std::string& order = "False") {
  return raw_npy("{'descr': '" + type + "', 'fortran_order': " + order + ", 'shape': " + shape + ", }\n", numbers,
                 version);
}

/// Numbers as they lie in memory.
template <class Real>
std::string bytes(const std::vector<Real>& numbers) {
  std::string text(numbers.size() * sizeof(Real), '\0');
  std::memcpy(text.data(), numbers.data(), text.size());
  return text;
}

}  // namespace attnlaw::test
