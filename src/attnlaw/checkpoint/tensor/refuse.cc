#include "attnlaw/checkpoint/tensor/refuse.h"

#include <algorithm>

namespace attnlaw::checkpoint {
namespace {

unsigned byte_at(std::string_view text, std::size_t i) { return static_cast<unsigned char>(text[i]); }

/// Returns the length of the printable UTF-8 character at the head of the text; 0 if there is none.
std::size_t character(std::string_view text) {
  const unsigned first = byte_at(text, 0);
  if (first < 0x80) return first >= 0x20 && first != 0x7f ? 1 : 0;
  const std::size_t length = first >= 0xc2 && first < 0xe0 ? 2 : first >= 0xe0 && first < 0xf0 ? 3 : 4;
  if (first < 0xc2 || first > 0xf4 || text.size() < length) return 0;
  for (std::size_t i = 1; i < length; ++i)
    if ((byte_at(text, i) & 0xc0) != 0x80) return 0;
  const unsigned second = byte_at(text, 1);
  const bool control = first == 0xc2 && second < 0xa0;
  // U+2000 to U+200F, U+2028 to U+202F and U+2060 to U+206F: spaces, line separators and marks of direction.
  const unsigned third = length > 2 ? byte_at(text, 2) : 0;
  const bool line = first == 0xe2 && ((second == 0x80 && (third < 0x90 || (third >= 0xa8 && third < 0xb0))) ||
                                      (second == 0x81 && third >= 0xa0 && third < 0xb0));
  const bool overlong = (first == 0xe0 && second < 0xa0) || (first == 0xf0 && second < 0x90);
  const bool beyond = (first == 0xed && second > 0x9f) || (first == 0xf4 && second > 0x8f);
  return control || line || overlong || beyond ? 0 : length;
}

/// Returns the name as it may be printed, cut where it has `most` bytes.
std::string escaped(std::string_view name, std::size_t most) {
  std::string text;
  for (std::size_t i = 0; i < name.size();) {
    if (text.size() >= most) return text + "...";
    const std::size_t length = character(name.substr(i));
    if (length == 0)
      text += fmt::format("\\x{:02x}", byte_at(name, i));
    else
      text += name.substr(i, length);
    i += std::max<std::size_t>(length, 1);
  }
  return text;
}

}  // namespace

std::string printable(std::string_view name) {
  constexpr std::size_t kMost = 200;
  return escaped(name, kMost);
}

std::string printable_path(std::string_view path) { return escaped(path, std::string_view::npos); }

}  // namespace attnlaw::checkpoint
