#pragma once
/// Writes any bytes as UTF-8 and reads them back, so that every file name that the system accepts has a place in a
/// document. JSON and HTML are UTF-8, names of files are not.

#include <cstddef>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

namespace attnlaw::base {

/// Returns the length of the valid UTF-8 sequence (RFC 3629, section 4) that the text, which is not empty, begins with;
/// 0 if there is none.
std::size_t utf8_length(std::string_view text);

/// Returns the text with every byte that is not part of valid UTF-8 as \xHH, two hexadecimal digits in capitals. A
/// backslash that unescaped() would take for the beginning of such an escape becomes \x5C. All other text is unchanged.
std::string escaped(std::string_view bytes);

/// Returns the bytes of which escaped() makes this text.
std::string unescaped(std::string_view text);

/// Returns the text of a document whose strings may hold any bytes, which are escaped. `indent` < 0: on one line.
std::string json_text(const nlohmann::json& document, int indent = -1);

/// Returns the same document with all its strings, but not its names, unescaped.
nlohmann::json with_bytes(nlohmann::json document);

}  // namespace attnlaw::base
