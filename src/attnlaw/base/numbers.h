#pragma once
/// Reads numbers from text: from an option, or from the lines of a file.

#include <charconv>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace attnlaw::base {

/// Returns the number that takes up the whole text (no blanks, nothing after it); nothing if there is none.
template <class Number>
std::optional<Number> number_in(std::string_view text) {
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

/// Reads the whole text as a finite number. Throws std::invalid_argument, which names `what` and the text, if it is
/// none.
double finite_number(std::string_view text, std::string_view what);

/// Returns the fields between separators, at least one; they may be empty.
std::vector<std::string_view> split(std::string_view text, char separator);

/// Returns the numbers in each line of a file, separated by blanks or commas. Empty lines and what follows a '#' are
/// skipped. Every other line must hold `per_line` finite numbers (0: one or more). Throws std::invalid_argument as
/// `path:line: expected <expected>, got '...'`, also if there is no number at all, and base::FileError if the file
/// cannot be read.
std::vector<std::vector<double>> read_number_lines(const std::string& path, std::size_t per_line,
                                                   std::string_view expected);

}  // namespace attnlaw::base
