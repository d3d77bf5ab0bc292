#include "attnlaw/checkpoint/file/onnx_tensor.h"

#include "attnlaw/base/numbers.h"
#include "attnlaw/checkpoint/file/safetensors.h"

namespace attnlaw::checkpoint {
namespace {

using Kind = WireField::Kind;

/// TensorProto.DataType, in the order of its numbers.
constexpr const char* kOnnxTypes[] = {nullptr, "F32",     "U8",          "I8",      "U16",         "I16", "I32", "I64",
                                      nullptr, "BOOL",    "F16",         "F64",     "U32",         "U64", "C64", "C128",
                                      "BF16",  "F8_E4M3", "F8_E4M3FNUZ", "F8_E5M2", "F8_E5M2FNUZ", "U4",  "I4",  "F4"};
constexpr std::uint64_t kString = 8;

/// The fields of a TensorProto as they were found.
struct Parts {
  std::string name;
  std::vector<std::size_t> shape;
  std::uint64_t type = 0;
  std::vector<Bytes> raw;
  std::vector<Bytes> floats;   // float_data or double_data, packed or one by one
  std::vector<Bytes> varints;  // int32_data, packed
  std::vector<std::byte> varints_one_by_one;
  bool others = false;  // int64_data, uint64_data, string_data
  bool external = false;
  std::map<std::string, std::string> place;  // location, offset, length
};

class TensorReader {
 public:
  TensorReader(const std::shared_ptr<const MappedFile>& model, const WireField& message, ExternalFiles& external)
      : model_(model), message_(message), external_(external) {}

  Tensor read() {
    collect();
    Tensor tensor;
    tensor.name = parts_.name;
    tensor.file = model_;
    tensor.shape = parts_.shape;
    tensor.type = type();
    const std::optional<std::size_t> count = number_count(parts_.shape);
    if (!count) fail("shape {} is not possible", tensor.shape_text());
    const std::size_t size = (*count + tensor.type->numbers - 1) / tensor.type->numbers * tensor.type->bytes;
    place_data(tensor, *count, size);
    // Whole numbers are listed and never decoded; those that lie as varints have no bytes of their own.
    const bool listed = tensor.type->decode == nullptr && tensor.bytes.empty();
    if (!listed && tensor.bytes.size() != size)
      fail("shape {} of {} needs {} bytes, the data have {}", tensor.shape_text(), tensor.type->name, size,
           tensor.bytes.size());
    return tensor;
  }

 private:
  template <class... Arguments>
  [[noreturn]] void fail(fmt::format_string<Arguments...> format, Arguments&&... arguments) const {
    refuse(model_->path(), "byte {}: tensor '{}': {}", message_.offset, printable(parts_.name),
           fmt::format(format, std::forward<Arguments>(arguments)...));
  }

  void add_axis(std::uint64_t length) {
    if (length > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()))
      fail("an axis has a negative length");
    parts_.shape.push_back(static_cast<std::size_t>(length));
  }

  void add_axes(const WireField& field) {
    if (field.kind == Kind::varint) return add_axis(field.value);
    Cursor cursor(model_->path(), field.bytes, field.offset);
    while (!cursor.done()) add_axis(read_varint(cursor));
  }

  void add_place(const WireField& entry) {
    WireReader reader(model_->path(), entry);
    std::string key, value;
    for (WireField field; reader.next(field);) {
      if (field.is(1, Kind::bytes)) key = field.text();
      if (field.is(2, Kind::bytes)) value = field.text();
    }
    if (!parts_.place.emplace(key, value).second) fail("external_data has '{}' twice", printable(key));
  }

  void add_varint(std::uint64_t value) {
    for (; value >= 0x80; value >>= 7) parts_.varints_one_by_one.push_back(std::byte(value | 0x80));
    parts_.varints_one_by_one.push_back(std::byte(value));
  }

  void collect() {
    // The name first, so that messages have it.
    WireReader names(model_->path(), message_);
    for (WireField field; names.next(field);)
      if (field.is(8, Kind::bytes)) parts_.name = field.text();
    WireReader reader(model_->path(), message_);
    for (WireField field; reader.next(field);) take(field);
  }

  void take(const WireField& field) {
    switch (field.number) {
      case 1:
        return add_axes(field);
      case 2:
        parts_.type = field.value;
        return;
      case 4:
      case 10:
        parts_.floats.push_back(field.bytes);
        return;
      case 5:
        return field.kind == Kind::varint ? add_varint(field.value) : parts_.varints.push_back(field.bytes);
      case 6:
      case 7:
      case 11:
        parts_.others = true;
        return;
      case 9:
        parts_.raw.push_back(field.bytes);
        return;
      case 13:
        return add_place(field);
      case 14:
        parts_.external = field.value == 1;
        return;
      default:
        return;
    }
  }

  const DataType* type() const {
    if (parts_.type == kString) return find_type("U8");
    if (parts_.type >= std::size(kOnnxTypes) || kOnnxTypes[parts_.type] == nullptr)
      fail("data type {} is not known", parts_.type);
    return find_type(kOnnxTypes[parts_.type]);
  }

  void place_data(Tensor& tensor, std::size_t count, std::size_t size) {
    const bool varints = !parts_.varints.empty() || !parts_.varints_one_by_one.empty();
    const int sources = int(!parts_.raw.empty()) + int(!parts_.floats.empty()) + int(varints) + int(parts_.others) +
                        int(parts_.external);
    if (sources == 0 && count > 0) fail("it has no data");
    if (sources > 1) fail("it has data of more than one kind");
    if (!parts_.raw.empty()) join(tensor, parts_.raw);
    if (!parts_.floats.empty()) join_floats(tensor);
    if (varints && tensor.type->decode != nullptr) unpack_varints(tensor, count);
    if (parts_.external) place_external(tensor, size);
  }

  /// The data of a field that stands once lie in the file; what stands in pieces is put together.
  static void join(Tensor& tensor, const std::vector<Bytes>& pieces) {
    if (pieces.size() == 1) {
      tensor.bytes = pieces.front();
      return;
    }
    auto joined = std::make_shared<std::vector<std::byte>>();
    for (Bytes piece : pieces) joined->insert(joined->end(), piece.begin(), piece.end());
    tensor.bytes = *joined;
    tensor.unpacked = std::move(joined);
  }

  void join_floats(Tensor& tensor) const {
    const std::string_view name = tensor.type->name;
    if (name != "F32" && name != "F64" && name != "C64" && name != "C128")
      fail("numbers of type {} cannot lie in float_data or double_data", name);
    join(tensor, parts_.floats);
  }

  /// The varints of int32_data are the bits of the numbers.
  void unpack_varints(Tensor& tensor, std::size_t count) const {
    const std::size_t width = tensor.type->bytes;
    if (width > 2) fail("numbers of type {} cannot lie in int32_data", tensor.type->name);
    std::vector<Bytes> pieces = parts_.varints;
    if (!parts_.varints_one_by_one.empty()) pieces.emplace_back(parts_.varints_one_by_one);
    auto unpacked = std::make_shared<std::vector<std::byte>>();
    for (Bytes piece : pieces) {
      Cursor cursor(model_->path(), piece, message_.offset);
      while (!cursor.done()) {
        const std::uint64_t bits = read_varint(cursor);
        if (bits >> (8 * width) != 0) fail("int32_data has {}, more than {} bits", bits, 8 * width);
        for (std::size_t i = 0; i < width; ++i) unpacked->push_back(std::byte(bits >> (8 * i)));
      }
    }
    if (unpacked->size() != count * width)
      fail("{} numbers need as many varints, got {}", count, unpacked->size() / width);
    tensor.bytes = *unpacked;
    tensor.unpacked = std::move(unpacked);
  }

  std::size_t number_of_place(const char* key, std::size_t standard) const {
    const auto found = parts_.place.find(key);
    if (found == parts_.place.end()) return standard;
    const std::optional<std::size_t> number = base::number_in<std::size_t>(found->second);
    if (!number) fail("{} of its external data is no whole number: '{}'", key, printable(found->second));
    return *number;
  }

  void place_external(Tensor& tensor, std::size_t size) {
    const auto location = parts_.place.find("location");
    if (location == parts_.place.end()) fail("its external data have no location");
    std::shared_ptr<const MappedFile>& file = external_[location->second];
    if (file == nullptr) file = std::make_shared<const MappedFile>(beside(model_->path(), location->second));
    const std::size_t offset = number_of_place("offset", 0), length = number_of_place("length", size);
    const std::size_t end = file->bytes().size();
    if (offset > end || length > end - offset)
      fail("its external data, {} bytes at {} of {}, end beyond the file of {}", length, offset,
           printable(location->second), end);
    tensor.file = file;
    tensor.bytes = file->bytes().subspan(offset, length);
  }

  const std::shared_ptr<const MappedFile>& model_;
  const WireField& message_;
  ExternalFiles& external_;
  Parts parts_;
};

}  // namespace

Tensor read_onnx_tensor(const std::shared_ptr<const MappedFile>& model, const WireField& message,
                        ExternalFiles& external) {
  return TensorReader(model, message, external).read();
}

}  // namespace attnlaw::checkpoint
