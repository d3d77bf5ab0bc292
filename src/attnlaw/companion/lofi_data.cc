#include "attnlaw/companion/lofi_data.h"

#include <bit>
#include <cstdint>
#include <cstring>
#include <limits>
#include <string_view>
#include <vector>

#include "attnlaw/base/file.h"
#include "attnlaw/base/numbers.h"
#include "attnlaw/base/reject.h"

namespace attnlaw::companion {
namespace {

using base::reject;
using Eigen::Index;

static_assert(std::endian::native == std::endian::little, "arrays are read as they lie in the file");

/// The header of an .npy file.
struct Header {
  std::size_t item_size = 8;
  std::size_t rows = 0, columns = 1;
  std::size_t data = 0;  ///< offset of the first number
};

/// What follows 'key': in the dictionary of a header, from its first character that is not a blank.
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
  if (shape.empty() || shape.size() > 2 || shape[0] == 0 || shape.back() == 0 || shape[0] > kMost ||
      shape.back() > kMost)
    reject("{}: an .npy file must have one or two axes that are not empty, got shape {}", path,
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
  Header header{.data = kLength + bytes + length};
  if (header.data > content.size()) reject("{}: byte {}: the header ends beyond the file", path, kLength);
  const std::string_view dictionary = content.substr(kLength + bytes, length);
  const std::string_view type = value_of(path, dictionary, "descr");
  if (type.starts_with("'<f4'")) {
    header.item_size = 4;
  } else if (!type.starts_with("'<f8'")) {
    reject("{}: numbers must be little-endian float32 ('<f4') or float64 ('<f8'), got {}", path, type.substr(0, 8));
  }
  if (!value_of(path, dictionary, "fortran_order").starts_with("False"))
    reject("{}: the array must be in C order (numpy.ascontiguousarray), got Fortran order", path);
  const std::vector<std::size_t> shape = shape_of(path, value_of(path, dictionary, "shape"));
  header.rows = shape[0];
  if (shape.size() == 2) header.columns = shape[1];
  const std::size_t available = (content.size() - header.data) / header.item_size;
  if (header.rows > available / header.columns)
    reject("{}: byte {}: {} x {} numbers are announced, the file has {}", path, content.size(), header.rows,
           header.columns, available);
  return header;
}

template <class Real>
void copy_numbers(std::string_view bytes, Samples& samples) {
  std::vector<Real> row(static_cast<std::size_t>(samples.cols()));
  const std::size_t size = row.size() * sizeof(Real);
  for (Index i = 0; i < samples.rows(); ++i) {
    std::memcpy(row.data(), bytes.data() + static_cast<std::size_t>(i) * size, size);
    for (Index j = 0; j < samples.cols(); ++j) samples(i, j) = row[static_cast<std::size_t>(j)];
  }
}

Samples read_npy(const std::string& path) {
  const std::string content = base::read_text(path);
  const Header header = header_of(path, content);
  Samples samples(static_cast<Index>(header.rows), static_cast<Index>(header.columns));
  const std::string_view numbers = std::string_view(content).substr(header.data);
  header.item_size == 4 ? copy_numbers<float>(numbers, samples) : copy_numbers<double>(numbers, samples);
  if (!samples.allFinite()) reject("{}: every number must be finite", path);
  return samples;
}

Samples read_lines(const std::string& path) {
  const std::vector<std::vector<double>> lines = base::read_number_lines(path, 0, "finite numbers");
  const std::size_t columns = lines.front().size();
  Samples samples(static_cast<Index>(lines.size()), static_cast<Index>(columns));
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (lines[i].size() != columns)
      reject("{}: sample {} has {} numbers, the first one {}", path, i + 1, lines[i].size(), columns);
    for (std::size_t j = 0; j < columns; ++j) samples(static_cast<Index>(i), static_cast<Index>(j)) = lines[i][j];
  }
  return samples;
}

}  // namespace

Samples read_samples(const std::string& path) { return path.ends_with(".npy") ? read_npy(path) : read_lines(path); }

LabelledSamples read_labelled(const std::string& path, const std::string& labels) {
  const Samples all = read_samples(path);
  if (labels.empty()) {
    if (all.cols() < 3)
      reject("{}: two or more features and a label (the last column) are needed, got {} columns", path, all.cols());
    return {all.leftCols(all.cols() - 1), all.rightCols(1).array()};
  }
  const Samples y = read_samples(labels);
  if (y.cols() != 1) reject("{}: one label a sample is needed, got {} columns", labels, y.cols());
  if (y.rows() != all.rows()) reject("{}: {} labels for the {} samples of {}", labels, y.rows(), all.rows(), path);
  if (all.cols() < 2) reject("{}: two or more features are needed, got {}", path, all.cols());
  return {all, y.array()};
}

Split split_samples(const LabelledSamples& samples, int test) {
  constexpr Index kLeast = 10;
  const Index n = samples.x.rows(), train = n - test;
  if (test < 2 || train < kLeast) reject("test samples must be 2 to {} of the {}, got {}", n - kLeast, n, test);
  return {{samples.x.topRows(train), samples.y.head(train)}, {samples.x.bottomRows(test), samples.y.tail(test)}};
}

}  // namespace attnlaw::companion
