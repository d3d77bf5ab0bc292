#include "attnlaw/base/printable.h"

#include <fmt/format.h>

#include <algorithm>

#include "attnlaw/base/json_text.h"

namespace attnlaw::base {
namespace {

unsigned unsigned_at(std::string_view text, std::size_t i) { return static_cast<unsigned char>(text[i]); }

/// Tells whether the character at the head of the text moves the cursor or turns the direction of a line.
bool leaves_line(std::string_view text, std::size_t length) {
  const unsigned first = unsigned_at(text, 0), second = length > 1 ? unsigned_at(text, 1) : 0;
  const unsigned third = length > 2 ? unsigned_at(text, 2) : 0;
  const bool control = first < 0x20 || first == 0x7f || (first == 0xc2 && second < 0xa0);
  // U+2000 to U+200F, U+2028 to U+202F and U+2060 to U+206F: spaces, line separators and marks of direction.
  const bool line = first == 0xe2 && ((second == 0x80 && (third < 0x90 || (third >= 0xa8 && third < 0xb0))) ||
                                      (second == 0x81 && third >= 0xa0 && third < 0xb0));
  const bool arabic_mark = first == 0xd8 && second == 0x9c;  // U+061C
  return control || line || arabic_mark;
}

enum class Digits { capitals, lower_case };

std::string hexadecimal(std::string_view bytes, Digits digits) {
  std::string text;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const unsigned byte = unsigned_at(bytes, i);
    text += digits == Digits::capitals ? fmt::format("\\x{:02X}", byte) : fmt::format("\\x{:02x}", byte);
  }
  return text;
}

std::string shown_on_line(std::string_view bytes, bool keeps_foreign, Digits digits = Digits::capitals,
                          std::size_t most = std::string_view::npos) {
  std::string text;
  while (!bytes.empty()) {
    if (text.size() >= most) return text + "...";
    const std::size_t length = utf8_length(bytes), taken = std::max<std::size_t>(1, length);
    if (bytes.front() == '\n') {
      text += "\\n";
    } else if ((length == 0 && !keeps_foreign) || (length > 0 && leaves_line(bytes, length))) {
      text += hexadecimal(bytes.substr(0, taken), digits);
    } else {
      text += bytes.substr(0, taken);
    }
    bytes.remove_prefix(taken);
  }
  return text;
}

}  // namespace

std::string on_one_line(std::string_view text) { return shown_on_line(text, true); }

std::string printable(std::string_view bytes) { return shown_on_line(bytes, false); }

std::string printable_name(std::string_view bytes, std::size_t most) {
  return shown_on_line(bytes, false, Digits::lower_case, most);
}

}  // namespace attnlaw::base
