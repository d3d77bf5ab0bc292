#pragma once
/// Writes the bytes of GGUF, of protobuf messages and of NumPy's arrays.

#include <Eigen/Core>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

namespace attnlaw::test {

/// The bytes of a number, as they lie in memory.
template <class Number>
std::string raw(Number value) {
  std::string bytes(sizeof value, '\0');
  std::memcpy(bytes.data(), &value, sizeof value);
  return bytes;
}

/// The entries of a matrix as float32, row by row.
inline std::string floats_of(const Eigen::MatrixXd& matrix) {
  std::string bytes;
  for (Eigen::Index i = 0; i < matrix.rows(); ++i)
    for (Eigen::Index j = 0; j < matrix.cols(); ++j) bytes += raw(static_cast<float>(matrix(i, j)));
  return bytes;
}

// Protobuf.

inline std::string varint(std::uint64_t value) {
  std::string bytes;
  for (; value >= 0x80; value >>= 7) bytes += static_cast<char>(value | 0x80);
  return bytes + static_cast<char>(value);
}
inline std::string varint_field(unsigned number, std::uint64_t value) { return varint(number << 3) + varint(value); }
inline std::string field(unsigned number, const std::string& content) {
  return varint(number << 3 | 2) + varint(content.size()) + content;
}

/// A file of GGUF, version 3.
class Gguf {
 public:
  Gguf& value(const std::string& key, unsigned type, const std::string& bytes) {
    values_ += text_of(key) + raw(static_cast<std::uint32_t>(type)) + bytes;
    ++value_count_;
    return *this;
  }
  Gguf& number(const std::string& key, std::uint32_t number) { return value(key, 4, raw(number)); }
  Gguf& text(const std::string& key, const std::string& text) { return value(key, 8, text_of(text)); }
  /// The axes in the order of the file: the fastest first.
  Gguf& tensor(const std::string& name, const std::vector<std::uint64_t>& axes, unsigned type,
               const std::string& bytes) {
    table_ += text_of(name) + raw(static_cast<std::uint32_t>(axes.size()));
    for (std::uint64_t axis : axes) table_ += raw(axis);
    table_ += raw(static_cast<std::uint32_t>(type)) + raw(static_cast<std::uint64_t>(data_.size()));
    data_ += bytes;
    pad(data_);
    ++tensor_count_;
    return *this;
  }
  std::string bytes() const {
    std::string head = "GGUF" + raw(std::uint32_t{3}) + raw(tensor_count_) + raw(value_count_) + values_ + table_;
    pad(head);
    return head + data_;
  }

 private:
  static std::string text_of(const std::string& text) { return raw(static_cast<std::uint64_t>(text.size())) + text; }
  static void pad(std::string& bytes) { bytes.resize((bytes.size() + 31) / 32 * 32, '\0'); }

  std::uint64_t tensor_count_ = 0, value_count_ = 0;
  std::string values_, table_, data_;
};

/// An .npy file of version 1.0 with this header.
inline std::string array_with(const std::string& header, const std::string& data) {
  return "\x93NUMPY" + std::string("\1\0", 2) + raw(static_cast<std::uint16_t>(header.size())) + header + data;
}

/// The .npy file of a matrix in float64.
inline std::string array_of(const Eigen::MatrixXd& matrix) {
  std::string data;
  for (Eigen::Index i = 0; i < matrix.rows(); ++i)
    for (Eigen::Index j = 0; j < matrix.cols(); ++j) data += raw(matrix(i, j));
  return array_with("{'descr': '<f8', 'fortran_order': False, 'shape': (" + std::to_string(matrix.rows()) + ", " +
                        std::to_string(matrix.cols()) + "), }\n",
                    data);
}

}  // namespace attnlaw::test
