#include "attnlaw/report/escape.h"

#include "attnlaw/base/json_text.h"

namespace attnlaw::report {
namespace {

/// The text with `written(c)` in place of every character for which that is not empty.
template <class Written>
std::string replaced(std::string_view text, const Written& written) {
  std::string result;
  result.reserve(text.size());
  for (const char c : text) {
    const std::string_view other = written(c);
    if (other.empty())
      result += c;
    else
      result += other;
  }
  return result;
}

/// How a character is written in HTML that would have a meaning there; empty for others.
std::string_view entity(char c) {
  switch (c) {
    case '&':
      return "&amp;";
    case '<':
      return "&lt;";
    case '>':
      return "&gt;";
    case '"':
      return "&quot;";
    case '\'':
      return "&#39;";
    default:
      return {};
  }
}

}  // namespace

std::string escape_html(std::string_view text) { return replaced(base::escaped(text), entity); }

std::string escape_attribute(std::string_view text) {
  return replaced(text, [](char c) { return c == '&' || c == '"' ? entity(c) : std::string_view(); });
}

std::string escape_json_in_script(std::string_view json) {
  return replaced(json, [](char c) { return std::string_view(c == '<' ? "\\u003c" : ""); });
}

}  // namespace attnlaw::report
