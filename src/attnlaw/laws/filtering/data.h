#pragma once
/// Reads samples from files.

#include <string>
#include <string_view>

#include "attnlaw/laws/filtering/network.h"

namespace attnlaw::laws {

/// The numbers of a file, with the last axis along the rows.
struct NumberArray {
  base::Matrix<double> values;
  int inner = 0;  ///< length of the second of three axes; 0 if there are fewer
};

/// Reads a file of NumPy's format (name ends in .npy; versions 1.0 to 3.0, floating-point numbers of 2, 4 or 8 bytes,
/// whole numbers or truth values, little- or big-endian, C or Fortran order, one to three axes, where one axis is one
/// column) or lines of numbers separated by blanks or commas, '#' before comments. Throws std::invalid_argument with
/// path and place for any other content, base::FileError if the file cannot be read.
NumberArray read_numbers(const std::string& path);

/// Reads the content of an .npy file; `path` is its name in messages. Throws std::invalid_argument as read_numbers.
NumberArray parse_npy(std::string_view content, const std::string& path);

/// Reads samples with their labels, from the file `labels` (n; n × outputs; n × T × T for attention) or, if that is
/// empty, from the last column of `path`. Samples of T tokens are an array n × T × d, or with `tokens` = T > 0 rows of
/// T tokens one after the other. Throws as read_numbers, and std::invalid_argument for shapes that do not go together.
LabelledSamples read_labelled(const std::string& path, const std::string& labels, int tokens = 0);

/// Splits the last `test` samples off the others. Throws std::invalid_argument unless 2 ≤ test ≤ n − 10.
struct Split {
  LabelledSamples train, test;
};
Split split_samples(const LabelledSamples& samples, int test);

}  // namespace attnlaw::laws
