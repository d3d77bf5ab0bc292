#pragma once
/// Names the directions of outliers by the tokens that lie along them.

#include <vector>

#include "attnlaw/checkpoint/inspection/inspect.h"

namespace attnlaw::checkpoint {

/// Fills the `count` tokens whose embeddings have the largest |cosine| with the leading direction of each outlier, on
/// both sides. Leaves all empty for a model without a vocabulary matrix, and a side whose length is not that of
/// embeddings.
void match_tokens(const Model& model, int count, std::vector<OutlierDirections>& directions);

}  // namespace attnlaw::checkpoint
