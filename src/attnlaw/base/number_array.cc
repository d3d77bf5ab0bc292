#include "attnlaw/base/number_array.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <limits>
#include <utility>
#include <vector>

#include "attnlaw/base/file.h"
#include "attnlaw/base/index.h"
#include "attnlaw/base/npy.h"
#include "attnlaw/base/numbers.h"
#include "attnlaw/base/reject.h"

namespace attnlaw::base {
namespace {

static_assert(std::endian::native == std::endian::little, "arrays are read as they lie in the file");

/// An array whose last axis is taken for the columns of a table, the others for its rows.
struct NpyTable {
  NpyHeader header;

  std::size_t columns() const { return header.shape.size() == 1 ? 1 : header.shape.back(); }
  std::size_t rows() const { return header.shape.size() == 3 ? header.shape[0] * header.shape[1] : header.shape[0]; }
};

/// Throws std::invalid_argument unless the file has one to three axes and as many numbers as they announce.
NpyTable table_of(const std::string& path, std::string_view content) {
  constexpr std::size_t kMost = std::numeric_limits<std::int32_t>::max();
  const NpyTable table{npy_header(content, path)};
  const auto& shape = table.header.shape;
  const auto accepted = [](std::size_t length) { return length > 0 && length <= kMost; };
  if (shape.empty() || shape.size() > 3 || !std::all_of(shape.begin(), shape.end(), accepted))
    reject("{}: an .npy file must have one to three axes of 1 to {} numbers, got shape ({})", path, kMost,
           fmt::join(shape, ", "));
  // Both factors fit into 62 bits, so only their product could overflow.
  const std::size_t available = (content.size() - table.header.data) / table.header.size;
  if (table.rows() > available / table.columns())
    reject("{}: byte {}: {} x {} numbers are announced, the file has {}", path, content.size(), table.rows(),
           table.columns(), available);
  return table;
}

/// Returns where number k of the file stands in the table, whose rows lie one after the other.
std::size_t place_of(const NpyTable& table, std::size_t k) {
  if (!table.header.column_major) return k;
  const std::size_t first = table.header.shape[0], second = table.rows() / first, rest = k / first;
  return (k % first * second + rest % second) * table.columns() + rest / second;
}

template <class Number>
void copy_numbers(const NpyTable& table, std::string_view bytes, Matrix<double>& values) {
  for (std::size_t k = 0; k < static_cast<std::size_t>(values.size()); ++k) {
    std::array<char, sizeof(Number)> item;
    std::memcpy(item.data(), bytes.data() + k * sizeof(Number), sizeof(Number));
    if (table.header.big_endian) std::reverse(item.begin(), item.end());
    values.data()[place_of(table, k)] = static_cast<double>(std::bit_cast<Number>(item));
  }
}

void copy_numbers_of_type(const NpyTable& table, std::string_view bytes, Matrix<double>& values) {
  const auto copy = [&]<class Number>(Number) { copy_numbers<Number>(table, bytes, values); };
  const std::size_t size = table.header.size;
  switch (table.header.kind) {
    case 'f':
      return size == 2 ? copy(Eigen::half()) : size == 4 ? copy(float()) : copy(double());
    case 'i':
      return size == 1   ? copy(std::int8_t())
             : size == 2 ? copy(std::int16_t())
             : size == 4 ? copy(std::int32_t())
                         : copy(std::int64_t());
    default:
      return size == 1   ? copy(std::uint8_t())
             : size == 2 ? copy(std::uint16_t())
             : size == 4 ? copy(std::uint32_t())
                         : copy(std::uint64_t());
  }
}

Matrix<double> table_in_text(std::string_view content, const std::string& path, std::string_view expected) {
  const std::vector<std::vector<double>> lines = parse_number_lines(content, path, kAsManyAsFirst, expected);
  Matrix<double> values(index(lines.size()), index(lines.front().size()));
  for (std::size_t i = 0; i < lines.size(); ++i)
    std::copy(lines[i].begin(), lines[i].end(), values.row(index(i)).data());
  return values;
}

}  // namespace

NumberArray parse_npy(std::string_view content, const std::string& path) {
  const NpyTable table = table_of(path, content);
  NumberArray array{Matrix<double>(index(table.rows()), index(table.columns())),
                    table.header.shape.size() == 3 ? static_cast<int>(table.header.shape[1]) : 0};
  copy_numbers_of_type(table, content.substr(table.header.data), array.values);
  if (!array.values.allFinite()) reject("{}: every number must be finite", path);
  return array;
}

NumberArray read_number_array(const std::string& path, std::string_view expected) {
  const std::string content = read_text(path);
  if (path.ends_with(".npy") || content.starts_with(kNpyMagic)) return parse_npy(content, path);
  return {table_in_text(content, path, expected)};
}

}  // namespace attnlaw::base
