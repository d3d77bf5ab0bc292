#pragma once
/// Walks through protobuf messages as they lie in a file (the wire format), without a schema and without copies.

#include <cstdint>
#include <string_view>

#include "attnlaw/checkpoint/file/cursor.h"

namespace attnlaw::checkpoint {

/// One field of a message.
struct WireField {
  enum class Kind { varint, fixed64, bytes, fixed32 };
  std::uint64_t number = 0;
  Kind kind = Kind::varint;
  /// The value of a varint.
  std::uint64_t value = 0;
  /// The content of the other kinds, and its offset in the file.
  Bytes bytes = {};
  std::size_t offset = 0;

  bool is(std::uint64_t field, Kind of_kind) const { return number == field && kind == of_kind; }
  std::string_view text() const { return text_of(bytes); }
};

/// Reads a varint of at most 64 bits. Throws base::FileError if it does not end.
std::uint64_t read_varint(Cursor& cursor);

/// The fields of a message, one after the other.
class WireReader {
 public:
  explicit WireReader(Cursor cursor) : cursor_(cursor) {}
  /// The message that a field is.
  WireReader(std::string_view path, const WireField& field) : cursor_(path, field.bytes, field.offset) {}

  /// Reads the next field; false at the end. Throws base::FileError for groups, unknown kinds and lengths beyond the
  /// message.
  bool next(WireField& field);

 private:
  Cursor cursor_;
};

}  // namespace attnlaw::checkpoint
