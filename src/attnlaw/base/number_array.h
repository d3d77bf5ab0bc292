#pragma once
/// Reads files of numbers, arrays of NumPy's format and tables in text, into one kind of array.

#include <cstddef>
#include <string>
#include <string_view>

#include "attnlaw/base/matrix.h"

namespace attnlaw::base {

/// The numbers of a file, with the last axis along the rows.
struct NumberArray {
  Matrix<double> values;
  int inner = 0;  ///< length of the second of three axes; 0 if there are fewer
};

/// Reads a file of NumPy's format (the name ends in .npy, or the content begins as such a file does; versions 1.0 to
/// 3.0, floating-point numbers of 2, 4 or 8 bytes, whole numbers or truth values, little- or big-endian, C or Fortran
/// order, one to three axes, where one axis is one column) or lines of numbers, each of as many as the first, separated
/// by blanks or commas, '#' before comments. `expected` is what messages say of lines. Throws std::invalid_argument
/// with path and place for any other content, FileError if the file cannot be read.
NumberArray read_number_array(const std::string& path, std::string_view expected = "finite numbers");

/// Reads the content of an .npy file; `path` is its name in messages. Throws std::invalid_argument as
/// read_number_array.
NumberArray parse_npy(std::string_view content, const std::string& path);

}  // namespace attnlaw::base
