#pragma once
/// The types of numbers that checkpoints store, and how each becomes double.

#include <cstddef>
#include <string_view>

namespace attnlaw::checkpoint {

/// Numbers are stored in blocks of `numbers` numbers and `bytes` bytes; plain types have blocks of one.
struct DataType {
  const char* name;
  std::size_t numbers;
  std::size_t bytes;
  /// Writes blocks · numbers doubles; the bytes need no alignment. Null: the type is known, and not read as weights.
  void (*decode)(const std::byte* from, std::size_t blocks, double* to);
};

/// Returns the type of a name ("F32", "BF16", "Q4_K", "I8"); null if there is none. Types of GGUF are described by
/// ggml's quantisation (blocks of 32 or 256 with scales in F16), FP8 by the OCP formats.
const DataType* find_type(std::string_view name);

/// Returns how many bytes `count` numbers take, for a count that is a multiple of the block; nothing overflows below
/// 2^60.
std::size_t bytes_of(const DataType& type, std::size_t count);

}  // namespace attnlaw::checkpoint
