#pragma once
/// Reads numbers from text: from an option, or from the lines of a file.

#include <charconv>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace attnlaw::base {

/// Does what std::from_chars does for numbers in decimal notation, where the standard library has that for integers
/// alone (libc++).
std::from_chars_result decimal_from_chars(const char* first, const char* last, double& value);

/// Returns the number that takes up the whole text (no blanks, nothing after it; a leading plus is allowed); nothing if
/// there is none.
template <class Number>
std::optional<Number> number_in(std::string_view text) {
  if (text.starts_with('+') && !text.starts_with("+-")) text.remove_prefix(1);
  Number value{};
  const char* const last = text.data() + text.size();
#ifdef __cpp_lib_to_chars
  const auto [end, error] = std::from_chars(text.data(), last, value);
#else
  std::from_chars_result read{};
  if constexpr (std::is_integral_v<Number>)
    read = std::from_chars(text.data(), last, value);
  else
    read = decimal_from_chars(text.data(), last, value);
  const auto [end, error] = read;
#endif
  if (error != std::errc() || end != last) return std::nullopt;
  return value;
}

/// Reads the whole text as a finite number. Throws std::invalid_argument, which names `what` and the text, if it is
/// none.
double finite_number(std::string_view text, std::string_view what);

/// Returns the fields between separators, at least one; they may be empty.
std::vector<std::string_view> split(std::string_view text, char separator);

/// Of lines that are the rows of a table.
inline constexpr std::size_t kAsManyAsFirst = std::numeric_limits<std::size_t>::max();

/// Returns the numbers in each line of a file, separated by blanks or by commas, which may have blanks beside them.
/// Lines end with LF, CR LF or CR; a byte order mark, empty lines and what follows a '#' are skipped. Every other line
/// must hold `per_line` finite numbers (0: one or more; kAsManyAsFirst: as many as the first). Throws
/// std::invalid_argument as `path:line: expected <expected>, got
/// '...'`, also if there is no number at all, or for a line with commas inside of what blanks separate (decimal
/// commas), and base::FileError if the file cannot be read.
std::vector<std::vector<double>> read_number_lines(const std::string& path, std::size_t per_line,
                                                   std::string_view expected);

/// Does the same with the content of a file; `path` is its name in messages.
std::vector<std::vector<double>> parse_number_lines(std::string_view content, const std::string& path,
                                                    std::size_t per_line, std::string_view expected);

}  // namespace attnlaw::base
