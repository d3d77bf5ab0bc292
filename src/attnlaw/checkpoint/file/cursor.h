#pragma once
/// Reads numbers and texts from the bytes of a file, one after the other, never beyond their end.

#include <cstdint>
#include <cstring>
#include <string_view>

#include "attnlaw/checkpoint/tensor/mapped_file.h"
#include "attnlaw/checkpoint/tensor/refuse.h"

namespace attnlaw::checkpoint {

/// Returns bytes as text.
inline std::string_view text_of(Bytes bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }

/// A place in the bytes of a file. What is not there throws base::FileError with the offset from the file's first byte.
class Cursor {
 public:
  /// Reads `bytes`, which begin at byte `origin` of the file.
  Cursor(std::string_view path, Bytes bytes, std::size_t origin = 0) : path_(path), bytes_(bytes), origin_(origin) {}

  std::size_t left() const { return bytes_.size() - at_; }
  bool done() const { return left() == 0; }
  std::size_t offset() const { return origin_ + at_; }
  std::string_view path() const { return path_; }

  /// Returns the next `count` bytes; `what` names them in the message if there are fewer.
  Bytes take(std::uint64_t count, std::string_view what) {
    if (count > left()) fail("{} needs {} bytes, {} are left", what, count, left());
    const Bytes part = bytes_.subspan(at_, static_cast<std::size_t>(count));
    at_ += part.size();
    return part;
  }

  template <class Number>
  Number number(std::string_view what) {
    Number value;
    std::memcpy(&value, take(sizeof value, what).data(), sizeof value);
    return value;
  }

  template <class... Arguments>
  [[noreturn]] void fail(fmt::format_string<Arguments...> format, Arguments&&... arguments) const {
    refuse(path_, "byte {}: {}", offset(), fmt::format(format, std::forward<Arguments>(arguments)...));
  }

 private:
  std::string_view path_;
  Bytes bytes_;
  std::size_t origin_ = 0;
  std::size_t at_ = 0;
};

}  // namespace attnlaw::checkpoint
