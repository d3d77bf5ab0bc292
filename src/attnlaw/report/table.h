#pragma once
/// Writes tables for the terminal, for programs and for the page.

#include <cstddef>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace attnlaw::report {

/// Says how the numbers of a column are written for people; CSV always carries every digit.
enum class Notation { general, fixed, scientific };

struct Column {
  std::string name;
  /// The unit stands in brackets after the name; it is empty for pure numbers.
  std::string unit = {};
  Notation notation = Notation::general;
  /// The number of significant digits (general) or of digits after the point (fixed, scientific), 0 to 17.
  int precision = 4;
  /// The name in CSV, where that for people is no identifier ("alpha" for "α = n/d²"); empty: the same.
  std::string id = {};
};

/// A cell is empty (a value that does not exist), a number (possibly NaN or infinite), a count, or text.
using Cell = std::variant<std::monostate, double, long long, std::string>;

struct Table {
  /// The heading of the table may be empty.
  std::string title;
  std::vector<Column> columns;
  /// Each row has one cell per column.
  std::vector<std::vector<Cell>> rows = {};
};

/// Returns the lines of a text, of at most `width` characters (0: any) where words leave that: they are not broken. The
/// first `head` bytes are no words; lines after the first are indented as far.
std::vector<std::string> wrapped(std::string_view text, std::size_t width, std::size_t head = 0);

/// Returns the table as aligned text for a terminal: title, column names, a rule, the rows. Numbers are aligned right,
/// text left; columns are as wide as their widest entry, counted in characters (UTF-8), and two spaces apart. Bytes of
/// texts that are no UTF-8 or would leave their line are shown as escapes (base/printable.h); in titles, line ends are
/// line ends. Titles and texts that do not fit into `width` characters (0: any) are broken at blanks, and a table that
/// is wider still goes on below with further columns beside its first one. The text ends with a newline.
std::string text(const Table& table, std::size_t width = 0);

/// Returns the table as CSV of RFC 4180: a header line, CRLF line ends, quotes where needed. A number is the shortest
/// text that reads back to the same double, or `nan`, `inf`, `-inf`; an empty cell is an empty field; texts have the
/// escapes of text(). The title is left out.
std::string csv(const Table& table);

/// Returns the table as a <table> element with caption, header cells with scope, and escaped text.
std::string html(const Table& table);

// All three throw std::invalid_argument if a row has not one cell per column, or a precision is out of range.

}  // namespace attnlaw::report
