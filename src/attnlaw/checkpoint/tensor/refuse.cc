#include "attnlaw/checkpoint/tensor/refuse.h"

#include <algorithm>

#include "attnlaw/base/json_text.h"

namespace attnlaw::checkpoint {
namespace {

unsigned byte_at(std::string_view text, std::size_t i) { return static_cast<unsigned char>(text[i]); }

/// Returns the length of the printable UTF-8 character at the head of the text; 0 if there is none.
std::size_t character(std::string_view text) {
  const std::size_t length = base::utf8_length(text);
  const unsigned first = byte_at(text, 0), second = length > 1 ? byte_at(text, 1) : 0;
  const unsigned third = length > 2 ? byte_at(text, 2) : 0;
  const bool control = first < 0x20 || first == 0x7f || (first == 0xc2 && second < 0xa0);
  // U+2000 to U+200F, U+2028 to U+202F and U+2060 to U+206F: spaces, line separators and marks of direction.
  const bool line = first == 0xe2 && ((second == 0x80 && (third < 0x90 || (third >= 0xa8 && third < 0xb0))) ||
                                      (second == 0x81 && third >= 0xa0 && third < 0xb0));
  return control || line ? 0 : length;
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
