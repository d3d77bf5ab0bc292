#include "attnlaw/base/numbers.h"

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstdlib>

#include "attnlaw/base/file.h"
#include "attnlaw/base/printable.h"
#include "attnlaw/base/reject.h"

namespace attnlaw::base {
namespace {

constexpr std::string_view kBlanks = " \t";

std::string_view without_blanks(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(kBlanks);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlanks) - begin + 1);
}

/// Tells whether a comma stands inside of what blanks separate, as in "0,5 1,5": such commas are decimal ones, or
/// nobody can say what they are.
bool has_inner_commas(std::string_view line) {
  bool inner = false, blanks = false;
  for (std::size_t i = line.find_first_of(",\t "); i < line.size(); i = line.find_first_of(",\t ", i + 1)) {
    // The separator ends where the next word begins; with a comma in it, blanks beside the comma separate nothing.
    const std::size_t end = std::min(line.find_first_not_of(",\t ", i), line.size());
    const std::string_view separator = line.substr(i, end - i);
    inner = inner || separator == ",";
    blanks = blanks || separator.find(',') == std::string_view::npos;
    i = end - 1;
  }
  return inner && blanks;
}

/// Returns the lines of a text, whatever system wrote it.
std::vector<std::string_view> lines_of(std::string_view text) {
  constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  std::vector<std::string_view> lines;
  for (const std::string_view line : split(text, '\n')) {
    const std::string_view content = line.ends_with('\r') ? line.substr(0, line.size() - 1) : line;
    for (const std::string_view part : split(content, '\r')) lines.push_back(part);
  }
  return lines;
}

/// Returns the words of a line; a comma beside blanks is one separator.
std::vector<std::string_view> words(std::string_view line) {
  std::vector<std::string_view> words;
  for (const std::string_view field : split(line, ',')) {
    std::string_view rest = without_blanks(field);
    do {
      const std::size_t end = std::min(rest.find_first_of(kBlanks), rest.size());
      words.push_back(rest.substr(0, end));
      rest = without_blanks(rest.substr(end));
    } while (!rest.empty());
  }
  return words;
}

/// Returns the numbers of a line; nothing unless every word is a finite number.
std::vector<double> numbers_in(std::string_view line) {
  std::vector<double> numbers;
  for (const std::string_view word : words(line)) {
    const auto number = number_in<double>(word);
    if (!number || !std::isfinite(*number)) return {};
    numbers.push_back(*number);
  }
  return numbers;
}

}  // namespace

std::from_chars_result decimal_from_chars(const char* first, const char* last, double& value) {
  const std::string text(first, last);
  const std::string_view digits = std::string_view(text).substr(text.starts_with('-') ? 1 : 0);
  // strtod skips blanks, and takes a second sign and hexadecimal digits as well.
  const std::string_view kBegin = "0123456789.iInN";
  if (digits.empty() || kBegin.find(digits.front()) == std::string_view::npos)
    return {first, std::errc::invalid_argument};
  if (digits.starts_with("0x") || digits.starts_with("0X")) {
    value = text.starts_with('-') ? -0.0 : 0.0;
    return {first + (text.size() - digits.size()) + 1, {}};
  }
  char* end = nullptr;
  errno = 0;
  const double found = std::strtod(text.c_str(), &end);
  if (end == text.c_str()) return {first, std::errc::invalid_argument};
  const char* const after = first + (end - text.c_str());
  // A number that is too small for full precision is one all the same.
  if (errno == ERANGE && (found == 0 || std::isinf(found))) return {after, std::errc::result_out_of_range};
  value = found;
  return {after, {}};
}

double finite_number(std::string_view text, std::string_view what) {
  const auto value = number_in<double>(text);
  if (!value || !std::isfinite(*value)) reject("{} must be a finite number, got '{}'", what, text);
  return *value;
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> fields;
  for (std::size_t begin = 0;;) {
    const std::size_t end = text.find(separator, begin);
    fields.push_back(text.substr(begin, end - begin));
    if (end == std::string_view::npos) return fields;
    begin = end + 1;
  }
}

std::vector<std::vector<double>> read_number_lines(const std::string& path, std::size_t per_line,
                                                   std::string_view expected) {
  return parse_number_lines(read_text(path), path, per_line, expected);
}

namespace {

/// Tells whether a line can be read as it is, but for tabs.
bool is_legible(std::string_view line) {
  std::string text(line);
  std::replace(text.begin(), text.end(), '\t', ' ');
  return printable(text) == text;
}

/// Returns the beginning of a line that is too long for a message, less of one that would be shown as escapes.
std::string shortened(std::string_view line) {
  constexpr std::size_t kMost = 60, kMostOfEscapes = 20;
  if (!is_legible(line)) return printable_name(line, kMostOfEscapes);
  if (line.size() <= kMost) return std::string(line);
  // A character is not cut: its bytes but the first begin with the bits 10.
  constexpr unsigned kMask = 0xC0, kContinued = 0x80;
  std::size_t size = kMost;
  while (size > 0 && (static_cast<unsigned char>(line[size]) & kMask) == kContinued) --size;
  return std::string(line.substr(0, size)) + " …";
}

}  // namespace

std::vector<std::vector<double>> parse_number_lines(std::string_view content, const std::string& path,
                                                    std::size_t per_line, std::string_view expected) {
  if (content.find('\0') != std::string_view::npos) reject("{}: expected {}, and this is no text file", path, expected);
  std::vector<std::vector<double>> rows;
  std::size_t line_number = 0, first_line = 0;
  for (const std::string_view line : lines_of(content)) {
    ++line_number;
    const std::string_view text = without_blanks(line.substr(0, line.find('#')));
    if (text.empty()) continue;
    if (has_inner_commas(text) && is_legible(text))
      reject("{}:{}: blanks separate '{}', so its commas cannot separate as well: write decimal points, not commas",
             path, line_number, shortened(text));
    std::vector<double> numbers = numbers_in(text);
    const std::size_t first = rows.empty() ? 0 : rows.front().size();
    if (per_line == kAsManyAsFirst && first > 0 && !numbers.empty() && numbers.size() != first)
      reject("{0}:{1}: expected {2}, {3} in each line as in the first ({0}:{4}), got {5}: '{6}'", path, line_number,
             expected, first, first_line, numbers.size(), shortened(text));
    if (numbers.empty() || (per_line > 0 && per_line < kAsManyAsFirst && numbers.size() != per_line))
      reject("{}:{}: expected {}, got {}'{}'", path, line_number, expected,
             numbers.size() > 1 ? fmt::format("{} numbers, ", numbers.size()) : "", shortened(text));
    if (rows.empty()) first_line = line_number;
    rows.push_back(std::move(numbers));
  }
  if (rows.empty()) reject("{}:{}: expected {}, at least one, found none", path, line_number, expected);
  return rows;
}

}  // namespace attnlaw::base
