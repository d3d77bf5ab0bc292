#include "attnlaw/laws/filtering/data.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <iterator>
#include <limits>
#include <map>
#include <string_view>
#include <utility>
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

/// Values of the dictionary in an .npy header by name, as they are written: '"<f8"', 'False', '(60L, 5L)'.
using Dictionary = std::map<std::string, std::string, std::less<>>;

/// Reads a dictionary of Python as NumPy and others write it: keys and texts in single or double quotes, any order, any
/// blanks, a comma after the last entry or none.
class DictionaryReader {
 public:
  DictionaryReader(const std::string& path, std::string_view text) : path_(path), text_(text) {}

  Dictionary read() {
    Dictionary dictionary;
    expect('{');
    while (next() != '}') {
      const std::string_view key = value();
      expect(':');
      dictionary.emplace(unquoted(key), value());
      if (next() != '}') expect(',');
    }
    return dictionary;
  }

  /// Returns a text without its quotes; anything else as it is.
  static std::string unquoted(std::string_view value) {
    const bool quoted = value.size() >= 2 && (value.front() == '\'' || value.front() == '"');
    return std::string(quoted ? value.substr(1, value.size() - 2) : value);
  }

 private:
  /// Returns the next character that is not a blank; 0 at the end.
  char next() {
    at_ = std::min(text_.find_first_not_of(" \t\r\n", at_), text_.size());
    return at_ < text_.size() ? text_[at_] : '\0';
  }

  void expect(char character) {
    if (next() != character)
      reject("{}: the header of an .npy file must be a dictionary, got '{}' where '{}' is expected", path_,
             text_.substr(at_, 20), character);
    ++at_;
  }

  /// Returns a text with its quotes, a tuple or list with its brackets, or a word.
  std::string_view value() {
    const char first = next();
    const std::size_t begin = at_;
    if (first == '\'' || first == '"')
      at_ = text_.find(first, begin + 1);
    else if (first == '(' || first == '[')
      at_ = text_.find(first == '(' ? ')' : ']', begin + 1);
    else
      at_ = text_.find_first_of(",:} \n", begin) - 1;
    if (first == '\0' || at_ >= text_.size())
      reject("{}: the dictionary in the header of an .npy file has no end", path_);
    return text_.substr(begin, ++at_ - begin);
  }

  const std::string& path_;
  std::string_view text_;
  std::size_t at_ = 0;
};

/// The type of the numbers of an .npy file.
struct NumberType {
  char kind = 'f';            ///< f: floating-point, i: integer, u: unsigned integer or truth value
  std::size_t size = 8;       ///< bytes
  bool other_endian = false;  ///< big-endian
};

/// Reads a type such as '<f8': the order of bytes ('=' or nothing: that of the machine), the kind, the size in bytes.
/// One byte has no order, so '<u1' is '|u1'.
NumberType type_of(const std::string& path, const std::string& written) {
  const std::string unquoted = DictionaryReader::unquoted(written);
  std::string_view text = unquoted;
  NumberType type;
  const bool has_order = !text.empty() && std::string_view("<>=|").find(text.front()) != std::string_view::npos;
  if (has_order) {
    type.other_endian = text.front() == '>';
    text.remove_prefix(1);
  }
  constexpr std::string_view kKnown[] = {"f2", "f4", "f8", "b1", "i1", "u1", "i2", "i4", "i8", "u2", "u4", "u8"};
  if (std::find(std::begin(kKnown), std::end(kKnown), text) == std::end(kKnown))
    reject("{}: numbers must be floats of 2, 4 or 8 bytes, whole numbers or truth values, got {}", path, written);
  type.kind = text[0] == 'b' ? 'u' : text[0];
  type.size = static_cast<std::size_t>(text[1] - '0');
  return type;
}

/// The header of an .npy file.
struct Header {
  NumberType type;
  bool columns_first = false;  ///< Fortran order: the first index runs fastest
  std::vector<std::size_t> shape;
  std::size_t data = 0;  ///< offset of the first number

  std::size_t columns() const { return shape.size() == 1 ? 1 : shape.back(); }
  std::size_t rows() const { return shape.size() == 3 ? shape[0] * shape[1] : shape[0]; }
};

/// Reads a tuple of lengths, which Python 2 writes as 60L.
std::vector<std::size_t> shape_of(const std::string& path, const std::string& text) {
  constexpr std::size_t kMost = std::numeric_limits<std::int32_t>::max();
  std::vector<std::size_t> shape;
  bool lengths = text.size() > 2 && text.starts_with('(') && text.ends_with(')');
  const std::string_view inner = lengths ? std::string_view(text).substr(1, text.size() - 2) : std::string_view();
  for (std::string_view field : base::split(inner, ',')) {
    while (field.starts_with(' ')) field.remove_prefix(1);
    while (field.ends_with(' ') || field.ends_with('L')) field.remove_suffix(1);
    if (field.empty()) continue;
    shape.push_back(base::number_in<std::size_t>(field).value_or(0));
    lengths = lengths && shape.back() > 0 && shape.back() <= kMost;
  }
  if (shape.empty() || shape.size() > 3 || !lengths)
    reject("{}: an .npy file must have one to three axes that are not empty, got shape {}", path, text);
  return shape;
}

/// Throws std::invalid_argument unless the file holds as many numbers as its header announces. Both factors fit into 62
/// bits, so only their product could overflow.
void require_numbers(const std::string& path, const Header& header, std::size_t size) {
  const std::size_t available = (size - header.data) / header.type.size;
  if (header.rows() > available / header.columns())
    reject("{}: byte {}: {} x {} numbers are announced, the file has {}", path, size, header.rows(), header.columns(),
           available);
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
  const Dictionary dictionary = DictionaryReader(path, content.substr(kLength + bytes, length)).read();
  for (const char* key : {"descr", "fortran_order", "shape"})
    if (!dictionary.contains(key)) reject("{}: the header of an .npy file must have the key '{}'", path, key);
  header.type = type_of(path, dictionary.find("descr")->second);
  const std::string& order = dictionary.find("fortran_order")->second;
  if (order != "True" && order != "False") reject("{}: fortran_order must be True or False, got {}", path, order);
  header.columns_first = order == "True";
  header.shape = shape_of(path, dictionary.find("shape")->second);
  require_numbers(path, header, content.size());
  return header;
}

/// Returns where number k of the file belongs: its row, with the last axis along the rows, and its column.
std::pair<Index, Index> place_of(const Header& header, std::size_t k) {
  const std::size_t columns = header.columns();
  if (!header.columns_first) return {static_cast<Index>(k / columns), static_cast<Index>(k % columns)};
  const std::size_t first = header.shape[0], second = header.rows() / first, rest = k / first;
  return {static_cast<Index>(k % first * second + rest % second), static_cast<Index>(rest / second)};
}

template <class Number>
void copy_numbers(const Header& header, std::string_view bytes, Matrix& samples) {
  for (std::size_t k = 0; k < static_cast<std::size_t>(samples.size()); ++k) {
    std::array<char, sizeof(Number)> item;
    std::memcpy(item.data(), bytes.data() + k * sizeof(Number), sizeof(Number));
    if (header.type.other_endian) std::reverse(item.begin(), item.end());
    const auto [row, column] = place_of(header, k);
    samples(row, column) = static_cast<double>(std::bit_cast<Number>(item));
  }
}

void copy_numbers_of_type(const Header& header, std::string_view bytes, Matrix& samples) {
  const auto copy = [&]<class Number>(Number) { copy_numbers<Number>(header, bytes, samples); };
  const std::size_t size = header.type.size;
  switch (header.type.kind) {
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
  const Header header = header_of(path, content);
  NumberArray array{Matrix(static_cast<Index>(header.rows()), static_cast<Index>(header.columns())),
                    header.shape.size() == 3 ? static_cast<int>(header.shape[1]) : 0};
  copy_numbers_of_type(header, content.substr(header.data), array.values);
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
