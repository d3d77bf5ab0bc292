#pragma once
/// Reads the headers of .npy files, the format of NumPy, and writes such files.

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace attnlaw::base {

/// What every file of the format begins with.
inline constexpr std::string_view kNpyMagic = "\x93NUMPY";

/// What stands before the numbers of an array.
struct NpyHeader {
  char kind = 'f';            ///< f: floating-point, i: integer, u: unsigned integer, b: truth value
  std::size_t size = 8;       ///< bytes of a number
  bool big_endian = false;    ///< otherwise little-endian
  bool column_major = false;  ///< Fortran order: the first index runs fastest
  std::vector<std::size_t> shape;
  std::size_t data = 0;  ///< offset of the first number
};

/// Reads the header of an array, of versions 1 to 3, as NumPy and others write it: keys in any order and either kind of
/// quotes, lengths of Python 2 (60L), an order of bytes for single bytes. Nothing is said about the numbers behind it.
/// `path` begins the message of the std::invalid_argument that other headers throw, with the offset of the byte.
NpyHeader npy_header(std::string_view content, std::string_view path);

/// Returns the bytes of a .npy file (version 1.0) with the rows×columns array of float64 whose columns lie one after
/// the other, as those of an Eigen matrix. Throws std::invalid_argument unless there are rows·columns values.
std::string npy_bytes(std::span<const double> values, std::size_t rows, std::size_t columns);

}  // namespace attnlaw::base
