#include "attnlaw/base/json_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <nlohmann/json.hpp>
#include <optional>

namespace attnlaw::base {
namespace {

using nlohmann::json;

unsigned char byte_at(std::string_view text, std::size_t i) { return static_cast<unsigned char>(text[i]); }

/// Returns the value of a hexadecimal digit in capitals; nothing for any other character.
std::optional<int> digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return std::nullopt;
}

constexpr std::size_t kEscapeLength = 4;

/// Returns the byte of the escape that the text begins with. Only bytes that escaped() may write count, so that other
/// text with a backslash stays what it is.
std::optional<char> escape_at(std::string_view text) {
  if (text.size() < kEscapeLength || !text.starts_with("\\x")) return std::nullopt;
  const auto high = digit(text[2]), low = digit(text[3]);
  if (!high || !low) return std::nullopt;
  const int byte = 16 * *high + *low;
  return byte >= 0x80 || byte == '\\' ? std::optional(static_cast<char>(byte)) : std::nullopt;
}

/// Tells whether some string of a document, a name included, is not its own escaped text.
bool has_escapes(const json& document) {
  if (const auto* text = document.get_ptr<const json::string_t*>()) return escaped(*text) != *text;
  if (!document.is_structured()) return false;
  const auto items = document.items();
  return std::any_of(items.begin(), items.end(), [&](const auto& item) {
    return has_escapes(item.value()) || (document.is_object() && escaped(item.key()) != item.key());
  });
}

json with_escapes(const json& document) {
  if (const auto* text = document.get_ptr<const json::string_t*>()) return escaped(*text);
  if (!document.is_structured()) return document;
  json result = document.is_array() ? json::array() : json::object();
  for (const auto& [name, value] : document.items()) {
    if (document.is_array())
      result.push_back(with_escapes(value));
    else
      result[escaped(name)] = with_escapes(value);
  }
  return result;
}

}  // namespace

std::size_t utf8_length(std::string_view text) {
  const unsigned char first = byte_at(text, 0);
  if (first < 0x80) return 1;
  const std::size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if (first < 0xC2 || first > 0xF4 || text.size() < length) return 0;
  // The second byte excludes sequences that are too long, surrogates, and what lies beyond U+10FFFF.
  const unsigned char least = first == 0xE0 ? 0xA0 : first == 0xF0 ? 0x90 : 0x80;
  const unsigned char most = first == 0xED ? 0x9F : first == 0xF4 ? 0x8F : 0xBF;
  if (byte_at(text, 1) < least || byte_at(text, 1) > most) return 0;
  for (std::size_t i = 2; i < length; ++i)
    if ((byte_at(text, i) & 0xC0) != 0x80) return 0;
  return length;
}

std::string escaped(std::string_view bytes) {
  std::string text;
  text.reserve(bytes.size());
  while (!bytes.empty()) {
    const std::size_t length = escape_at(bytes) ? 0 : utf8_length(bytes);
    if (length == 0)
      text += fmt::format("\\x{:02X}", byte_at(bytes, 0));
    else
      text += bytes.substr(0, length);
    bytes.remove_prefix(std::max<std::size_t>(1, length));
  }
  return text;
}

std::string unescaped(std::string_view text) {
  std::string bytes;
  bytes.reserve(text.size());
  while (!text.empty()) {
    const auto byte = escape_at(text);
    bytes += byte.value_or(text.front());
    text.remove_prefix(byte ? kEscapeLength : 1);
  }
  return bytes;
}

std::string json_text(const json& document, int indent) {
  return has_escapes(document) ? with_escapes(document).dump(indent) : document.dump(indent);
}

json with_bytes(json document) {
  if (auto* text = document.get_ptr<json::string_t*>()) *text = unescaped(*text);
  if (document.is_structured())
    for (json& item : document) item = with_bytes(std::move(item));
  return document;
}

}  // namespace attnlaw::base
