#include "attnlaw/laws/filtering/data.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <iterator>
#include <limits>
#include <string_view>
#include <utility>
#include <vector>

#include "attnlaw/base/file.h"
#include "attnlaw/base/npy.h"
#include "attnlaw/base/numbers.h"
#include "attnlaw/base/reject.h"

namespace attnlaw::laws {
namespace {

using base::reject;
using Eigen::Index;
using Matrix = base::Matrix<double>;

static_assert(std::endian::native == std::endian::little, "arrays are read as they lie in the file");

/// An array whose last axis is taken for the columns of a table, the others for its rows.
struct Table {
  base::NpyHeader header;

  std::size_t columns() const { return header.shape.size() == 1 ? 1 : header.shape.back(); }
  std::size_t rows() const { return header.shape.size() == 3 ? header.shape[0] * header.shape[1] : header.shape[0]; }
};

/// Throws std::invalid_argument unless the file has one to three axes and as many numbers as they announce.
Table table_of(const std::string& path, std::string_view content) {
  constexpr std::size_t kMost = std::numeric_limits<std::int32_t>::max();
  const Table table{base::npy_header(content, path)};
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
std::size_t place_of(const Table& table, std::size_t k) {
  if (!table.header.column_major) return k;
  const std::size_t first = table.header.shape[0], second = table.rows() / first, rest = k / first;
  return (k % first * second + rest % second) * table.columns() + rest / second;
}

template <class Number>
void copy_numbers(const Table& table, std::string_view bytes, Matrix& samples) {
  for (std::size_t k = 0; k < static_cast<std::size_t>(samples.size()); ++k) {
    std::array<char, sizeof(Number)> item;
    std::memcpy(item.data(), bytes.data() + k * sizeof(Number), sizeof(Number));
    if (table.header.big_endian) std::reverse(item.begin(), item.end());
    samples.data()[place_of(table, k)] = static_cast<double>(std::bit_cast<Number>(item));
  }
}

void copy_numbers_of_type(const Table& table, std::string_view bytes, Matrix& samples) {
  const auto copy = [&]<class Number>(Number) { copy_numbers<Number>(table, bytes, samples); };
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

}  // namespace

NumberArray parse_npy(std::string_view content, const std::string& path) {
  const Table table = table_of(path, content);
  NumberArray array{Matrix(static_cast<Index>(table.rows()), static_cast<Index>(table.columns())),
                    table.header.shape.size() == 3 ? static_cast<int>(table.header.shape[1]) : 0};
  copy_numbers_of_type(table, content.substr(table.header.data), array.values);
  if (!array.values.allFinite()) reject("{}: every number must be finite", path);
  return array;
}

namespace {

Matrix read_lines(const std::string& path) {
  const std::vector<std::vector<double>> lines = base::read_number_lines(path, 0, "finite numbers");
  const std::size_t columns = lines.front().size();
  Matrix samples(static_cast<Index>(lines.size()), static_cast<Index>(columns));
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (lines[i].size() != columns)
      reject("{}: sample {} has {} numbers, the first one {}", path, i + 1, lines[i].size(), columns);
    for (std::size_t j = 0; j < columns; ++j) samples(static_cast<Index>(i), static_cast<Index>(j)) = lines[i][j];
  }
  return samples;
}

}  // namespace

NumberArray read_numbers(const std::string& path) {
  return path.ends_with(".npy") ? parse_npy(base::read_text(path), path) : NumberArray{read_lines(path), 0};
}

namespace {

/// Cuts rows of T tokens into one row per token; for tokens = 0 it leaves them as they are.
Matrix cut_into_tokens(const std::string& path, const Matrix& rows, int tokens) {
  if (tokens == 0) return rows;
  if (tokens < 1 || rows.cols() % tokens != 0)
    reject("{}: --tokens must divide the {} numbers of a sample, got {}", path, rows.cols(), tokens);
  return Eigen::Map<const Matrix>(rows.data(), rows.rows() * tokens, rows.cols() / tokens);
}

}  // namespace

LabelledSamples read_labelled(const std::string& path, const std::string& labels, int tokens) {
  const NumberArray all = read_numbers(path);
  if (all.inner > 0 && tokens > 0)
    reject("{}: --tokens is for rows; an array of three axes has {} tokens", path, all.inner);
  if (all.inner > 0 && labels.empty()) reject("{}: an array of three axes needs --labels beside it", path);
  LabelledSamples samples;
  samples.tokens = std::max({1, all.inner, tokens});
  if (labels.empty()) {
    if (all.values.cols() < 3)
      reject("{}: two or more features and a label (the last column) are needed, got {} columns", path,
             all.values.cols());
    samples.x = cut_into_tokens(path, all.values.leftCols(all.values.cols() - 1), tokens);
    samples.y = all.values.rightCols(1);
  } else {
    samples.x = cut_into_tokens(path, all.values, tokens);
    const NumberArray y = read_numbers(labels);
    samples.attention = y.inner > 0;
    if (samples.attention && (y.inner != samples.tokens || y.values.cols() != samples.tokens))
      reject("{}: labels of three axes are T x T for each sample of T = {} tokens, got {} x {}", labels, samples.tokens,
             y.inner, y.values.cols());
    // One row of as many numbers as there are samples is a label for each.
    const bool lies = !samples.attention && y.values.rows() == 1 && y.values.cols() > 1 &&
                      y.values.cols() * samples.tokens == samples.x.rows();
    if (lies)
      samples.y = y.values.transpose();
    else
      samples.y = samples.attention
                      ? Eigen::Map<const Matrix>(y.values.data(), y.values.rows() / y.inner, y.inner * y.values.cols())
                      : y.values;
  }
  if (samples.y.rows() * samples.tokens != samples.x.rows())
    reject("{}: {} labels for the {} samples of {}", labels, samples.y.rows(), samples.x.rows() / samples.tokens, path);
  if (samples.x.cols() < 2) reject("{}: two or more features are needed, got {}", path, samples.x.cols());
  return samples;
}

Split split_samples(const LabelledSamples& samples, int test) {
  constexpr Index kLeast = 10;
  const Index n = samples.size(), train = n - test, tokens = samples.tokens;
  constexpr Index kLeastTest = 2;
  if (n < kLeast + kLeastTest)
    reject("the data must have {} samples or more, {} of them for the test, got {} in all", kLeast + kLeastTest,
           kLeastTest, n);
  if (test < kLeastTest || train < kLeast)
    reject("test samples must be {} to {} of the {}, got {}", kLeastTest, n - kLeast, n, test);
  return {{samples.x.topRows(train * tokens), samples.y.topRows(train), samples.tokens, samples.attention},
          {samples.x.bottomRows(test * tokens), samples.y.bottomRows(test), samples.tokens, samples.attention}};
}

}  // namespace attnlaw::laws
