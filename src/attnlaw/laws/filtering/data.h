#pragma once
/// Reads samples from files.

#include <string>

#include "attnlaw/base/number_array.h"
#include "attnlaw/laws/filtering/network.h"

namespace attnlaw::laws {

/// Reads samples with their labels, from the file `labels` (n; n × outputs; n × T × T for attention) or, if that is
/// empty, from the last column of `path`. Samples of T tokens are an array n × T × d, or with `tokens` = T > 0 rows of
/// T tokens one after the other. Throws as base::read_number_array, and std::invalid_argument for shapes that do not go
/// together.
LabelledSamples read_labelled(const std::string& path, const std::string& labels, int tokens = 0);

/// Splits the last `test` samples off the others. Throws std::invalid_argument unless 2 ≤ test ≤ n − 10.
struct Split {
  LabelledSamples train, test;
};
Split split_samples(const LabelledSamples& samples, int test);

}  // namespace attnlaw::laws
