#include "attnlaw/laws/filtering/data.h"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>
#include <limits>
#include <string_view>
#include <vector>

#include "attnlaw/base/file.h"
#include "attnlaw/base/numbers.h"
#include "attnlaw/base/reject.h"

namespace attnlaw::laws {
namespace {

using base::reject;
using Eigen::Index;
using Matrix = base::Matrix<double>;

static_assert(std::endian::native == std::endian::little, "arrays are read as they lie in the file");

/// The types of numbers that an .npy file may have; the last character is their size in bytes.
constexpr const char* kTypes[] = {"<f4", "<f8", "|b1", "|i1", "|u1", "<i2", "<i4", "<i8", "<u2", "<u4", "<u8"};

/// The header of an .npy file.
struct Header {
  std::string type;  ///< the type of a number, "<f8"
  std::vector<std::size_t> shape;
  std::size_t data = 0;  ///< offset of the first number

  std::size_t item_size() const { return static_cast<std::size_t>(type.back() - '0'); }
  std::size_t columns() const { return shape.size() == 1 ? 1 : shape.back(); }
  std::size_t rows() const { return shape.size() == 3 ? shape[0] * shape[1] : shape[0]; }
};

/// Returns the text that follows 'key': in the dictionary of a header, from its first character that is not a blank.
std::string_view value_of(const std::string& path, std::string_view dictionary, std::string_view key) {
  const std::string quoted = "'" + std::string(key) + "'";
  const std::size_t at = dictionary.find(quoted);
  const std::size_t colon = at == std::string_view::npos ? at : dictionary.find(':', at + quoted.size());
  const std::size_t begin = colon == std::string_view::npos ? colon : dictionary.find_first_not_of(' ', colon + 1);
  if (begin == std::string_view::npos) reject("{}: the header of an .npy file must have the key {}", path, quoted);
  return dictionary.substr(begin);
}

std::vector<std::size_t> shape_of(const std::string& path, std::string_view text) {
  const std::size_t close = text.find(')');
  std::vector<std::size_t> shape;
  if (text.starts_with('(') && close != std::string_view::npos) {
    for (std::string_view field : base::split(text.substr(1, close - 1), ',')) {
      while (field.starts_with(' ')) field.remove_prefix(1);
      if (field.empty()) continue;
      const auto length = base::number_in<std::size_t>(field);
      if (!length) break;
      shape.push_back(*length);
    }
  }
  constexpr std::size_t kMost = std::numeric_limits<std::int32_t>::max();
  const bool lengths =
      std::all_of(shape.begin(), shape.end(), [](std::size_t length) { return length > 0 && length <= kMost; });
  if (shape.empty() || shape.size() > 3 || !lengths)
    reject("{}: an .npy file must have one to three axes that are not empty, got shape {}", path,
           text.substr(0, close == std::string_view::npos ? 40 : close + 1));
  return shape;
}

Header header_of(const std::string& path, std::string_view content) {
  constexpr std::string_view kMagic = "\x93NUMPY";
  constexpr std::size_t kVersion = 6, kLength = 8;
  if (content.size() < kLength + 4 || !content.starts_with(kMagic))
    reject("{}: byte 0: an .npy file begins with \\x93NUMPY", path);
  const int version = static_cast<unsigned char>(content[kVersion]);
  if (version < 1 || version > 3) reject("{}: byte {}: version must be 1, 2 or 3, got {}", path, kVersion, version);
  const std::size_t bytes = version == 1 ? 2 : 4;
  std::uint32_t length = 0;
  std::memcpy(&length, content.data() + kLength, bytes);
  Header header;
  header.data = kLength + bytes + length;
  if (header.data > content.size()) reject("{}: byte {}: the header ends beyond the file", path, kLength);
  const std::string_view dictionary = content.substr(kLength + bytes, length);
  const std::string_view type = value_of(path, dictionary, "descr");
  for (const char* known : kTypes)
    if (type.size() > 4 && type.substr(1, 3) == known && type[0] == '\'' && type[4] == '\'') header.type = known;
  if (header.type.empty())
    reject("{}: numbers must be little-endian floats of 4 or 8 bytes, whole numbers or truth values, got {}", path,
           type.substr(0, type.find(',')));
  if (!value_of(path, dictionary, "fortran_order").starts_with("False"))
    reject("{}: the array must be in C order (numpy.ascontiguousarray), got Fortran order", path);
  header.shape = shape_of(path, value_of(path, dictionary, "shape"));
  const std::size_t available = (content.size() - header.data) / header.item_size();
  if (header.rows() > available / header.columns())
    reject("{}: byte {}: {} x {} numbers are announced, the file has {}", path, content.size(), header.rows(),
           header.columns(), available);
  return header;
}

template <class Number>
void copy_numbers(std::string_view bytes, Matrix& samples) {
  std::vector<Number> row(static_cast<std::size_t>(samples.cols()));
  const std::size_t size = row.size() * sizeof(Number);
  for (Index i = 0; i < samples.rows(); ++i) {
    std::memcpy(row.data(), bytes.data() + static_cast<std::size_t>(i) * size, size);
    for (Index j = 0; j < samples.cols(); ++j) samples(i, j) = static_cast<double>(row[static_cast<std::size_t>(j)]);
  }
}

void copy_numbers_of(const std::string& type, std::string_view bytes, Matrix& samples) {
  if (type == "<f4") return copy_numbers<float>(bytes, samples);
  if (type == "<f8") return copy_numbers<double>(bytes, samples);
  if (type == "|i1") return copy_numbers<std::int8_t>(bytes, samples);
  if (type == "<i2") return copy_numbers<std::int16_t>(bytes, samples);
  if (type == "<i4") return copy_numbers<std::int32_t>(bytes, samples);
  if (type == "<i8") return copy_numbers<std::int64_t>(bytes, samples);
  if (type == "<u2") return copy_numbers<std::uint16_t>(bytes, samples);
  if (type == "<u4") return copy_numbers<std::uint32_t>(bytes, samples);
  if (type == "<u8") return copy_numbers<std::uint64_t>(bytes, samples);
  copy_numbers<std::uint8_t>(bytes, samples);  // |u1, |b1
}

NumberArray read_npy(const std::string& path) {
  const std::string content = base::read_text(path);
  const Header header = header_of(path, content);
  NumberArray array{Matrix(static_cast<Index>(header.rows()), static_cast<Index>(header.columns())),
                    header.shape.size() == 3 ? static_cast<int>(header.shape[1]) : 0};
  copy_numbers_of(header.type, std::string_view(content).substr(header.data), array.values);
  if (!array.values.allFinite()) reject("{}: every number must be finite", path);
  return array;
}

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
  return path.ends_with(".npy") ? read_npy(path) : NumberArray{read_lines(path), 0};
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
  if (test < 2 || train < kLeast) reject("test samples must be 2 to {} of the {}, got {}", n - kLeast, n, test);
  return {{samples.x.topRows(train * tokens), samples.y.topRows(train), samples.tokens, samples.attention},
          {samples.x.bottomRows(test * tokens), samples.y.bottomRows(test), samples.tokens, samples.attention}};
}

}  // namespace attnlaw::laws
