#include "attnlaw/base/npy.h"

#include <algorithm>
#include <bit>
#include <cctype>
#include <cstdint>
#include <cstring>
#include <iterator>
#include <optional>

#include "attnlaw/base/numbers.h"
#include "attnlaw/base/reject.h"

namespace attnlaw::base {
namespace {

/// Reads the dictionary of a header, {'descr': '<f8', 'fortran_order': False, 'shape': (3, 4), }: a literal of Python
/// with three keys.
class NpyDictionary {
 public:
  /// `origin` is the offset of the text in the file.
  NpyDictionary(std::string_view path, std::string_view text, std::size_t origin)
      : path_(path), text_(text), origin_(origin) {}

  void read(NpyHeader& header) {
    expect('{');
    while (!accept('}')) {
      const std::string_view key = quoted();
      expect(':');
      read_entry(key, header);
      if (accept(',')) continue;
      expect('}');
      break;
    }
    skip_blanks();
    if (at_ != text_.size()) fail("text stands after the dictionary");
    if (!descr_ || !order_ || !shape_) fail("descr, fortran_order or shape is missing");
  }

 private:
  [[noreturn]] void fail(std::string_view what) const {
    reject("{}: byte {}: the header of the array: {}", path_, origin_ + at_, what);
  }

  void skip_blanks() { at_ = std::min(text_.find_first_not_of(" \t\r\n", at_), text_.size()); }

  bool accept(char character) {
    skip_blanks();
    if (at_ == text_.size() || text_[at_] != character) return false;
    ++at_;
    return true;
  }

  void expect(char character) {
    if (!accept(character)) fail(fmt::format("'{}' is missing", character));
  }

  /// A literal of text, which has a prefix where a Python wrote it that tells text from bytes: u'<f8', b'<f8'.
  std::string_view quoted() {
    skip_blanks();
    const auto is_quote = [&](std::size_t at) { return at < text_.size() && (text_[at] == '\'' || text_[at] == '"'); };
    if (at_ < text_.size() && std::string_view("ubUB").find(text_[at_]) != std::string_view::npos && is_quote(at_ + 1))
      ++at_;
    const char quote = at_ < text_.size() ? text_[at_] : ' ';
    const std::size_t end = quote == '\'' || quote == '"' ? text_.find(quote, at_ + 1) : std::string_view::npos;
    if (end == std::string_view::npos) fail("a text in quotes is missing");
    const std::string_view content = text_.substr(at_ + 1, end - at_ - 1);
    at_ = end + 1;
    return content;
  }

  std::string_view word() {
    skip_blanks();
    const std::size_t begin = at_;
    while (at_ < text_.size() && std::isalnum(static_cast<unsigned char>(text_[at_])) != 0) ++at_;
    return text_.substr(begin, at_ - begin);
  }

  void mark(bool& seen) const {
    if (seen) fail("a key stands twice");
    seen = true;
  }

  void read_entry(std::string_view key, NpyHeader& header) {
    if (key == "descr") {
      mark(descr_);
      read_type(header);
    } else if (key == "fortran_order") {
      mark(order_);
      const std::string_view value = word();
      if (value != "True" && value != "False") fail("fortran_order must be True or False");
      header.column_major = value == "True";
    } else if (key == "shape") {
      mark(shape_);
      read_shape(header);
    } else {
      fail("the keys are descr, fortran_order and shape");
    }
  }

  /// '<f8': the order of bytes ('=' or nothing: that of the machine), the kind, the size in bytes. One byte has no
  /// order, so '<u1' is '|u1'.
  void read_type(NpyHeader& header) {
    skip_blanks();
    if (at_ < text_.size() && text_[at_] == '[') fail("arrays of records are not read");
    std::string_view type = quoted();
    if (type.find('O') != std::string_view::npos)
      fail("an array of objects is a pickle, which could run code and is never read");
    if (!type.empty() && std::string_view("<>=|").find(type.front()) != std::string_view::npos) {
      header.big_endian = type.front() == '>';
      type.remove_prefix(1);
    }
    constexpr std::string_view kKnown[] = {"f2", "f4", "f8", "b1", "i1", "u1", "i2", "i4", "i8", "u2", "u4", "u8"};
    if (std::find(std::begin(kKnown), std::end(kKnown), type) == std::end(kKnown))
      fail("numbers must be floats of 2, 4 or 8 bytes, whole numbers or truth values");
    header.kind = type[0];
    header.size = static_cast<std::size_t>(type[1] - '0');
    header.big_endian = header.big_endian && header.size > 1;
  }

  void read_shape(NpyHeader& header) {
    if (!accept('(')) fail("shape must be the lengths of the axes, in brackets");
    while (!accept(')')) {
      std::string_view length = word();
      if (length.ends_with('L')) length.remove_suffix(1);
      const std::optional<std::size_t> number = number_in<std::size_t>(length);
      if (!number) fail("lengths of axes must be whole numbers from 0");
      header.shape.push_back(*number);
      if (accept(',')) continue;
      expect(')');
      break;
    }
  }

  std::string_view path_, text_;
  std::size_t origin_;
  std::size_t at_ = 0;
  bool descr_ = false, order_ = false, shape_ = false;
};

}  // namespace

NpyHeader npy_header(std::string_view content, std::string_view path) {
  constexpr std::size_t kLength = 8;  // where the length of the dictionary stands
  if (!content.starts_with(kNpyMagic)) reject("{}: byte 0: an array of NumPy begins with \\x93NUMPY", path);
  const int version = content.size() > kNpyMagic.size() ? static_cast<unsigned char>(content[kNpyMagic.size()]) : 0;
  if (version < 1 || version > 3)
    reject("{}: byte {}: version must be 1, 2 or 3, got {}", path, kNpyMagic.size(), version);
  const std::size_t bytes = version == 1 ? 2 : 4, begin = kLength + bytes;
  std::uint32_t length = 0;
  if (content.size() >= begin) std::memcpy(&length, content.data() + kLength, bytes);
  if (content.size() < begin || length > content.size() - begin)
    reject("{}: byte {}: the header ends beyond the file", path, kLength);
  NpyHeader header;
  header.data = begin + length;
  NpyDictionary(path, content.substr(begin, length), begin).read(header);
  return header;
}

std::string npy_bytes(std::span<const double> values, std::size_t rows, std::size_t columns) {
  static_assert(std::endian::native == std::endian::little);
  if (values.size() != rows * columns)
    reject("an array of {} times {} takes as many values, got {}", rows, columns, values.size());
  std::string header = fmt::format("{{'descr': '<f8', 'fortran_order': True, 'shape': ({}, {}), }}", rows, columns);
  // Magic, version and length take 10 bytes; the data begin at a multiple of 64.
  constexpr std::size_t kBefore = 10, kAlignment = 64;
  header.append(kAlignment - 1 - (kBefore + header.size()) % kAlignment, ' ');
  header += '\n';
  std::string bytes(kNpyMagic);
  bytes.append({'\x01', '\x00'});
  bytes += static_cast<char>(header.size() % 256);
  bytes += static_cast<char>(header.size() / 256);
  bytes += header;
  const std::size_t start = bytes.size();
  bytes.resize(start + values.size_bytes());
  if (!values.empty()) std::memcpy(bytes.data() + start, values.data(), values.size_bytes());
  return bytes;
}

}  // namespace attnlaw::base
