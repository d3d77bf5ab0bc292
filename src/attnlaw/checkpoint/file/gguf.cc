#include "attnlaw/checkpoint/file/gguf.h"

#include <algorithm>
#include <bit>
#include <nlohmann/json.hpp>

#include "attnlaw/checkpoint/file/cursor.h"

namespace attnlaw::checkpoint {
namespace {

using nlohmann::json;

/// The least bytes that an entry of the tables takes; counts beyond what the file can hold are refused by them.
constexpr std::uint64_t kLeastValue = 8 + 4 + 1, kLeastTensor = 8 + 4 + 8 + 4 + 8;
constexpr std::uint64_t kLongestName = 65535;
constexpr std::uint64_t kMostNumbers = 65536;
constexpr std::uint64_t kLargestAlignment = 65536;
constexpr unsigned kMostAxes = 4;

/// The types of values, in the order of their numbers.
enum class ValueType : std::uint32_t { u8, i8, u16, i16, u32, i32, f32, boolean, text, array, u64, i64, f64 };

std::size_t size_of(ValueType type) {
  constexpr std::size_t kSizes[] = {1, 1, 2, 2, 4, 4, 4, 1, 8, 12, 8, 8, 8};
  return kSizes[static_cast<std::size_t>(type)];
}

/// ggml's numbers of types. Gaps were never used or have been withdrawn.
constexpr const char* kGgufTypes[] = {"F32",     "F16",    "Q4_0",    "Q4_1",  nullptr,  nullptr, "Q5_0",  "Q5_1",
                                      "Q8_0",    "Q8_1",   "Q2_K",    "Q3_K",  "Q4_K",   "Q5_K",  "Q6_K",  "Q8_K",
                                      "IQ2_XXS", "IQ2_XS", "IQ3_XXS", "IQ1_S", "IQ4_NL", "IQ3_S", "IQ2_S", "IQ4_XS",
                                      "I8",      "I16",    "I32",     "I64",   "F64",    "IQ1_M", "BF16",  nullptr,
                                      nullptr,   nullptr,  "TQ1_0",   "TQ2_0", nullptr,  nullptr, nullptr, "MXFP4"};

std::string text(Cursor& cursor, std::string_view what) {
  const auto length = cursor.number<std::uint64_t>(what);
  return std::string(text_of(cursor.take(length, what)));
}

std::string name(Cursor& cursor, std::string_view what) {
  const auto length = cursor.number<std::uint64_t>(what);
  if (length == 0 || length > kLongestName)
    cursor.fail("{} has {} bytes, at most {} are read", what, length, kLongestName);
  return std::string(text_of(cursor.take(length, what)));
}

ValueType value_type(Cursor& cursor, const std::string& key) {
  const auto type = cursor.number<std::uint32_t>("the type of a value");
  if (type > static_cast<std::uint32_t>(ValueType::f64)) cursor.fail("{}: type {} of values is not known", key, type);
  return ValueType(type);
}

json scalar(Cursor& cursor, ValueType type, const std::string& key) {
  switch (type) {
    case ValueType::u8:
      return cursor.number<std::uint8_t>(key);
    case ValueType::i8:
      return cursor.number<std::int8_t>(key);
    case ValueType::u16:
      return cursor.number<std::uint16_t>(key);
    case ValueType::i16:
      return cursor.number<std::int16_t>(key);
    case ValueType::u32:
      return cursor.number<std::uint32_t>(key);
    case ValueType::i32:
      return cursor.number<std::int32_t>(key);
    case ValueType::f32:
      return cursor.number<float>(key);
    case ValueType::u64:
      return cursor.number<std::uint64_t>(key);
    case ValueType::i64:
      return cursor.number<std::int64_t>(key);
    case ValueType::f64:
      return cursor.number<double>(key);
    case ValueType::text:
      return text(cursor, key);
    case ValueType::boolean: {
      const auto value = cursor.number<std::uint8_t>(key);
      if (value > 1) cursor.fail("{}: a truth value must be 0 or 1, got {}", key, value);
      return value == 1;
    }
    case ValueType::array:
      break;
  }
  cursor.fail("{}: an array of arrays is not read", key);
}

/// Texts are kept only where they are the vocabulary.
json array(Cursor& cursor, const std::string& key, Contents& contents) {
  const ValueType type = value_type(cursor, key);
  const auto count = cursor.number<std::uint64_t>("the length of an array");
  if (type == ValueType::array) cursor.fail("{}: an array of arrays is not read", key);
  if (count > cursor.left() / size_of(type))
    cursor.fail("{}: an array of {} values is announced, {} bytes are left", key, count, cursor.left());
  if (type == ValueType::text) {
    const bool vocabulary = key == "tokenizer.ggml.tokens";
    for (std::uint64_t i = 0; i < count; ++i) {
      std::string token = text(cursor, key);
      if (vocabulary) contents.tokens.push_back(std::move(token));
    }
    return nullptr;
  }
  if (count > kMostNumbers) {
    cursor.take(count * size_of(type), key);
    return nullptr;
  }
  json values = json::array();
  for (std::uint64_t i = 0; i < count; ++i) values.push_back(scalar(cursor, type, key));
  return values;
}

void read_values(Cursor& cursor, std::uint64_t count, Contents& contents) {
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::string raw = name(cursor, "a key");
    const std::string key = printable(raw);
    if (contents.metadata->contains(key)) cursor.fail("the key '{}' stands twice", key);
    const ValueType type = value_type(cursor, key);
    json value = type == ValueType::array ? array(cursor, key, contents) : scalar(cursor, type, key);
    (*contents.metadata)[key] = std::move(value);
  }
}

std::size_t alignment_of(const Contents& contents) {
  const auto found = contents.metadata->find("general.alignment");
  if (found == contents.metadata->end()) return 32;
  const bool fits = found->is_number_unsigned() && std::has_single_bit(found->get<std::uint64_t>()) &&
                    found->get<std::uint64_t>() <= kLargestAlignment;
  if (!fits) refuse(contents.path, "general.alignment must be a power of two up to {}", kLargestAlignment);
  return found->get<std::size_t>();
}

/// A part of a model that was split over files has not all tensors of its layers.
void require_whole(const Contents& contents) {
  const auto parts = contents.metadata->find("split.count");
  if (parts != contents.metadata->end() && parts->is_number_unsigned() && parts->get<std::uint64_t>() > 1)
    refuse(contents.path, "is one of {} parts of a model; join them first (llama-gguf-split --merge)",
           parts->get<std::uint64_t>());
}

/// A line of the table of tensors, before it is known where the data begin.
struct Line {
  Tensor tensor;
  std::uint64_t offset = 0;
  std::size_t size = 0;
};

const DataType* tensor_type(Cursor& cursor, const std::string& tensor) {
  const auto number = cursor.number<std::uint32_t>("the type of a tensor");
  if (number >= std::size(kGgufTypes) || kGgufTypes[number] == nullptr)
    cursor.fail("{}: type {} of tensors is not known", printable(tensor), number);
  return find_type(kGgufTypes[number]);
}

Line read_line(Cursor& cursor) {
  Line line;
  Tensor& tensor = line.tensor;
  tensor.name = name(cursor, "the name of a tensor");
  const auto axes = cursor.number<std::uint32_t>("the number of axes");
  if (axes == 0 || axes > kMostAxes)
    cursor.fail("{}: a tensor must have 1 to {} axes, got {}", printable(tensor.name), kMostAxes, axes);
  for (unsigned axis = 0; axis < axes; ++axis)
    tensor.shape.push_back(static_cast<std::size_t>(cursor.number<std::uint64_t>("the length of an axis")));
  std::reverse(tensor.shape.begin(), tensor.shape.end());
  tensor.type = tensor_type(cursor, tensor.name);
  line.offset = cursor.number<std::uint64_t>("the offset of a tensor");
  const std::optional<std::size_t> count = number_count(tensor.shape);
  if (!count || *count == 0) cursor.fail("{}: shape {} is not possible", printable(tensor.name), tensor.shape_text());
  if (tensor.shape.back() % tensor.type->numbers != 0)
    cursor.fail("{}: rows of {} numbers do not fill the blocks of {} of type {}", printable(tensor.name),
                tensor.shape.back(), tensor.type->numbers, tensor.type->name);
  line.size = bytes_of(*tensor.type, *count);
  return line;
}

void place(std::vector<Line>& lines, const std::shared_ptr<const MappedFile>& file, std::size_t data,
           std::size_t alignment) {
  for (Line& line : lines) {
    const std::string shown = printable(line.tensor.name);
    if (line.offset % alignment != 0)
      refuse(file->path(), "{}: offset {} is no multiple of the alignment {}", shown, line.offset, alignment);
    const std::size_t room = file->bytes().size() - data;
    if (line.offset > room || line.size > room - line.offset)
      refuse(file->path(), "{}: {} bytes at offset {} end beyond the file, which is truncated", shown, line.size,
             line.offset);
    line.tensor.bytes = file->bytes().subspan(data + static_cast<std::size_t>(line.offset), line.size);
    line.tensor.file = file;
  }
}

void require_disjoint(const std::string& path, std::vector<Line>& lines) {
  std::vector<const Line*> order;
  for (const Line& line : lines) order.push_back(&line);
  std::sort(order.begin(), order.end(), [](const Line* a, const Line* b) { return a->offset < b->offset; });
  for (std::size_t i = 1; i < order.size(); ++i)
    if (order[i]->offset < order[i - 1]->offset + order[i - 1]->size)
      refuse(path, "{}: offset {} lies inside the tensor {}", printable(order[i]->tensor.name), order[i]->offset,
             printable(order[i - 1]->tensor.name));
}

void require_version(Cursor& cursor) {
  if (text_of(cursor.take(4, "the magic")) != "GGUF") refuse(cursor.path(), "byte 0: a GGUF file begins with GGUF");
  const auto version = cursor.number<std::uint32_t>("the version");
  if (version == 2 || version == 3) return;
  if (version == 0x03000000 || version == 0x02000000)
    cursor.fail("is a big-endian GGUF file, which is not read; convert it to little-endian (gguf_convert_endian)");
  cursor.fail("GGUF version {} is not read; versions 2 and 3 are", version);
}

}  // namespace

Contents read_gguf(std::shared_ptr<const MappedFile> file) {
  Contents contents(file->path(), "GGUF");
  Cursor cursor(file->path(), file->bytes());
  require_version(cursor);
  const auto tensors = cursor.number<std::uint64_t>("the number of tensors");
  const auto values = cursor.number<std::uint64_t>("the number of metadata");
  if (values > cursor.left() / kLeastValue || tensors > cursor.left() / kLeastTensor)
    cursor.fail("{} metadata and {} tensors are announced, more than {} bytes can hold", values, tensors,
                cursor.left());
  read_values(cursor, values, contents);
  require_whole(contents);
  const std::size_t alignment = alignment_of(contents);
  std::vector<Line> lines;
  for (std::uint64_t i = 0; i < tensors; ++i) lines.push_back(read_line(cursor));
  const std::size_t data = (cursor.offset() + alignment - 1) / alignment * alignment;
  if (data > file->bytes().size()) cursor.fail("the file ends before its tensors");
  place(lines, file, data, alignment);
  require_disjoint(file->path(), lines);
  for (Line& line : lines) contents.add(std::move(line.tensor));
  return contents;
}

}  // namespace attnlaw::checkpoint
