#include "attnlaw/checkpoint/file/npy.h"

#include <filesystem>
#include <stdexcept>

#include "attnlaw/base/npy.h"
#include "attnlaw/checkpoint/file/cursor.h"

namespace attnlaw::checkpoint {
namespace {

/// Returns our type of NumPy's kind and size; null if weights are never of it.
const DataType* type_of(const base::NpyHeader& header) {
  constexpr std::pair<char, const char*> kKinds[] = {{'f', "F"}, {'i', "I"}, {'u', "U"}};
  if (header.kind == 'b') return find_type("BOOL");
  for (const auto& [kind, letter] : kKinds)
    if (header.kind == kind) return find_type(fmt::format("{}{}", letter, 8 * header.size));
  return nullptr;
}

/// Reads the header; what is wrong with it is wrong with the file.
base::NpyHeader header_of(const std::string& where, Bytes bytes) {
  try {
    return base::npy_header(text_of(bytes), printable_path(where));
  } catch (const std::invalid_argument& error) {
    throw base::FileError(error.what());
  }
}

}  // namespace

Tensor read_npy_array(const std::string& where, Bytes bytes) {
  const base::NpyHeader header = header_of(where, bytes);
  Cursor cursor(where, bytes);
  cursor.take(header.data, "the header");
  if (header.big_endian) cursor.fail("big-endian numbers are not read; store them with astype('<f8')");
  Tensor tensor;
  tensor.type = type_of(header);
  tensor.shape = header.shape;
  const std::optional<std::size_t> count = number_count(tensor.shape);
  if (!count) cursor.fail("shape {} is not possible", tensor.shape_text());
  tensor.column_major = header.column_major && tensor.shape.size() > 1;
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
