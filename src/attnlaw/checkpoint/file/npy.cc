#include "attnlaw/checkpoint/file/npy.h"

#include <filesystem>

#include "attnlaw/base/numbers.h"
#include "attnlaw/checkpoint/file/cursor.h"

namespace attnlaw::checkpoint {
namespace {

/// NumPy's name of a type and ours.
constexpr std::pair<std::string_view, const char*> kTypes[] = {
    {"<f8", "F64"}, {"<f4", "F32"}, {"<f2", "F16"}, {"|b1", "BOOL"}, {"|i1", "I8"},  {"|u1", "U8"},
    {"<i2", "I16"}, {"<i4", "I32"}, {"<i8", "I64"}, {"<u2", "U16"},  {"<u4", "U32"}, {"<u8", "U64"}};

/// The dictionary of a header, {'descr': '<f8', 'fortran_order': False, 'shape': (3, 4), }: a literal of Python with
/// three keys in any order.
class Dictionary {
 public:
  Dictionary(std::string_view where, std::string_view text, std::size_t origin)
      : where_(where), text_(text), origin_(origin) {}

  void read(Tensor& tensor) {
    expect('{');
    while (!accept('}')) {
      const std::string_view key = quoted();
      expect(':');
      entry(key, tensor);
      if (!accept(',')) {
        expect('}');
        break;
      }
    }
    blanks();
    if (at_ != text_.size()) fail("text after the dictionary");
    if (!descr_ || !order_ || !shape_) fail("descr, fortran_order or shape is missing");
  }

 private:
  [[noreturn]] void fail(std::string_view what) const {
    refuse(where_, "byte {}: the header of the array: {}", origin_ + at_, what);
  }

  void blanks() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n' || text_[at_] == '\t')) ++at_;
  }

  bool accept(char character) {
    blanks();
    if (at_ == text_.size() || text_[at_] != character) return false;
    ++at_;
    return true;
  }

  void expect(char character) {
    if (!accept(character)) fail(fmt::format("'{}' is missing", character));
  }

  std::string_view quoted() {
    blanks();
    const char quote = at_ < text_.size() ? text_[at_] : ' ';
    const std::size_t end = quote == '\'' || quote == '"' ? text_.find(quote, at_ + 1) : std::string_view::npos;
    if (end == std::string_view::npos) fail("a text in quotes is missing");
    const std::string_view content = text_.substr(at_ + 1, end - at_ - 1);
    at_ = end + 1;
    return content;
  }

  std::string_view word() {
    blanks();
    const std::size_t begin = at_;
    while (at_ < text_.size() && std::isalnum(static_cast<unsigned char>(text_[at_])) != 0) ++at_;
    return text_.substr(begin, at_ - begin);
  }

  void once(bool& seen) {
    if (seen) fail("a key stands twice");
    seen = true;
  }

  void entry(std::string_view key, Tensor& tensor) {
    if (key == "descr") {
      once(descr_);
      tensor.type = type();
    } else if (key == "fortran_order") {
      once(order_);
      const std::string_view value = word();
      if (value != "True" && value != "False") fail("fortran_order must be True or False");
      tensor.column_major = value == "True";
    } else if (key == "shape") {
      once(shape_);
      read_shape(tensor);
    } else {
      fail(fmt::format("the key '{}' is not known", printable(key)));
    }
  }

  const DataType* type() {
    blanks();
    if (at_ < text_.size() && text_[at_] == '[') fail("arrays of records are not read");
    const std::string_view descr = quoted();
    for (const auto& [numpy, ours] : kTypes)
      if (descr == numpy) return find_type(ours);
    if (descr.find('O') != std::string_view::npos)
      fail("an array of objects is a pickle, which could run code and is never read");
    if (descr.starts_with('>')) fail("big-endian numbers are not read; store them with astype('<f8')");
    fail(fmt::format("numbers of type '{}' are not read; store them with astype('<f4')", printable(descr)));
  }

  void read_shape(Tensor& tensor) {
    expect('(');
    while (!accept(')')) {
      const std::optional<std::size_t> length = base::number_in<std::size_t>(word());
      if (!length) fail("shape must hold whole numbers from 0");
      tensor.shape.push_back(*length);
      if (!accept(',')) {
        expect(')');
        break;
      }
    }
  }

  std::string_view where_;
  std::string_view text_;
  std::size_t origin_;
  std::size_t at_ = 0;
  bool descr_ = false, order_ = false, shape_ = false;
};

}  // namespace

Tensor read_npy_array(const std::string& where, Bytes bytes) {
  Cursor cursor(where, bytes);
  if (bytes.size() < 6 || text_of(cursor.take(6, "the magic")) != "\x93NUMPY")
    refuse(where, "byte 0: an array of NumPy begins with \\x93NUMPY");
  const auto version = cursor.number<std::uint8_t>("the version");
  cursor.take(1, "the version");
  if (version < 1 || version > 3) cursor.fail("version {} is not read; 1 to 3 are", version);
  const std::uint64_t length = version == 1 ? cursor.number<std::uint16_t>("the length of the header")
                                            : cursor.number<std::uint32_t>("the length of the header");
  const std::size_t origin = cursor.offset();
  Tensor tensor;
  Dictionary(where, text_of(cursor.take(length, "the header")), origin).read(tensor);
  const std::optional<std::size_t> count = number_count(tensor.shape);
  if (!count) cursor.fail("shape {} is not possible", tensor.shape_text());
  if (tensor.shape.size() < 2) tensor.column_major = false;
  if (tensor.column_major && tensor.shape.size() > 2) cursor.fail("Fortran order is read for matrices alone");
  const std::size_t size = bytes_of(*tensor.type, *count);
  if (size != cursor.left())
    cursor.fail("shape {} of {} needs {} bytes, {} follow", tensor.shape_text(), tensor.type->name, size,
                cursor.left());
  tensor.bytes = cursor.take(size, "the numbers");
  return tensor;
}

Contents read_npy(std::shared_ptr<const MappedFile> file) {
  Contents contents(file->path(), "npy");
  Tensor tensor = read_npy_array(file->path(), file->bytes());
  tensor.name = std::filesystem::path(file->path()).stem().string();
  tensor.file = std::move(file);
  contents.add(std::move(tensor));
  return contents;
}

}  // namespace attnlaw::checkpoint
