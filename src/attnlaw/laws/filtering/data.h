#pragma once
/// Samples from files.

#include <string>

#include "attnlaw/laws/filtering/network.h"

namespace attnlaw::laws {

/// Numbers of a file, the last axis along the rows.
struct NumberArray {
  base::Matrix<double> values;
  int inner = 0;  ///< length of the second of three axes; 0: there are one or two
};

/// From a file of NumPy's format (name ends in .npy; versions 1.0 to 3.0, little-endian floating-point numbers of 4 or
/// 8 bytes, whole numbers or truth values, C order, one to three axes: one axis is one column) or from lines of numbers
/// separated by blanks or commas, '#' before comments. Throws std::invalid_argument with path and place for content
/// that is not that, base::FileError if the file cannot be read.
NumberArray read_numbers(const std::string& path);

/// Samples with their labels: the file `labels` (n; n × outputs; n × T × T: attention), or without one (empty) the last
/// column of `path`. Samples of T tokens are an array n × T × d, or with `tokens` = T > 0 rows of T tokens one after
/// the other. Throws as read_numbers, and std::invalid_argument for shapes that do not go together.
LabelledSamples read_labelled(const std::string& path, const std::string& labels, int tokens = 0);

/// The last `test` samples apart from the others. Throws std::invalid_argument unless 2 ≤ test ≤ n − 10.
struct Split {
  LabelledSamples train, test;
};
Split split_samples(const LabelledSamples& samples, int test);

}  // namespace attnlaw::laws
