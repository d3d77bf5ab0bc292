#pragma once
/// Text of others on a terminal: names of files and in files may hold line ends, escape codes, and bytes that are no
/// UTF-8.

#include <cstddef>
#include <string>
#include <string_view>

namespace attnlaw::base {

/// Returns the text with its line ends as \n, and other control characters and marks that break a line or turn its
/// direction as \xHH (two hexadecimal digits in capitals for each of their bytes). Bytes that are no UTF-8 stay.
std::string on_one_line(std::string_view text);

/// Does the same, with \xHH for bytes that are no UTF-8 as well.
std::string printable(std::string_view bytes);

/// Does the same for text that goes into documents but is never read back: digits are in lower case, which escaped()
/// (base/json_text.h) leaves as they are; "..." stands for what comes after `most` bytes.
std::string printable_name(std::string_view bytes, std::size_t most);

}  // namespace attnlaw::base
