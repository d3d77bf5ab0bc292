#include "attnlaw/checkpoint/file/wire.h"

namespace attnlaw::checkpoint {

std::uint64_t read_varint(Cursor& cursor) {
  std::uint64_t value = 0;
  for (unsigned shift = 0; shift < 64; shift += 7) {
    const std::uint64_t octet = cursor.number<std::uint8_t>("a varint");
    if (shift == 63 && octet > 1) break;
    value |= (octet & 0x7f) << shift;
    if (octet < 0x80) return value;
  }
  cursor.fail("a varint has more than 64 bits");
}

bool WireReader::next(WireField& field) {
  if (cursor_.done()) return false;
  const std::uint64_t tag = read_varint(cursor_);
  field = {.number = tag >> 3};
  if (field.number == 0) cursor_.fail("field 0 is not possible: no protobuf message");
  switch (tag & 7) {
    case 0:
      field.kind = WireField::Kind::varint;
      field.value = read_varint(cursor_);
      return true;
    case 1:
      field.kind = WireField::Kind::fixed64;
      field.offset = cursor_.offset();
      field.bytes = cursor_.take(8, "a field of 8 bytes");
      return true;
    case 2: {
      field.kind = WireField::Kind::bytes;
      const std::uint64_t length = read_varint(cursor_);
      field.offset = cursor_.offset();
      field.bytes = cursor_.take(length, "a field");
      return true;
    }
    case 5:
      field.kind = WireField::Kind::fixed32;
      field.offset = cursor_.offset();
      field.bytes = cursor_.take(4, "a field of 4 bytes");
      return true;
    default:
      cursor_.fail("wire type {} is not read (groups are not part of ONNX)", tag & 7);
  }
}

}  // namespace attnlaw::checkpoint
