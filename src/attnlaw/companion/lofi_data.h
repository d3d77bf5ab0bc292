#pragma once
/// Samples from files.

#include <string>

#include "attnlaw/companion/lofi_network.h"

namespace attnlaw::companion {

/// A matrix from a file of NumPy's format (name ends in .npy; versions 1.0 to 3.0, little-endian float32 or float64, C
/// order, one or two axes: one axis is one column) or from lines of numbers separated by blanks or commas, '#' before
/// comments. Throws std::invalid_argument with path and place for content that is not that, base::FileError if the file
/// cannot be read.
Samples read_samples(const std::string& path);

/// Samples with their labels: the file `labels`, or without one (empty) the last column of `path`.
LabelledSamples read_labelled(const std::string& path, const std::string& labels);

/// The last `test` samples apart from the others. Throws std::invalid_argument unless 2 ≤ test ≤ n − 10.
struct Split {
  LabelledSamples train, test;
};
Split split_samples(const LabelledSamples& samples, int test);

}  // namespace attnlaw::companion
