#pragma once
/// Finds the attention layers of a checkpoint by the names of its tensors.

#include <string>
#include <vector>

#include "attnlaw/checkpoint/layout/configuration.h"
#include "attnlaw/checkpoint/layout/plan.h"

namespace attnlaw::checkpoint {

/// What was found, layers in order within each block.
struct Recognised {
  std::vector<LayerPlan> plans;
  std::vector<Skipped> skipped;
};

/// Matches the tensors with `rows` of the table. Of the rows that fit a tensor the one whose `models` name the model
/// counts, then the one of which more tensors are there. Throws base::FileError if nothing is found: the message lists
/// tensors.
Recognised recognise(const Contents& contents, const Configuration& configuration, const std::vector<Layout>& rows);

/// Throws base::FileError for models that are known and cannot be read: quantised with scales in tensors of their own,
/// or with latent attention; the message says what to do.
void refuse_known(const Contents& contents);

/// Numbers of heads that the user gave; zero: not given.
struct GivenHeads {
  int heads = 0;
  int key_heads = 0;
};

/// Counts the heads of a layer from what was given, the configuration and the shapes. Throws std::invalid_argument
/// where what was given contradicts the shapes or more must be given, base::FileError where the configuration does.
void count_heads(LayerPlan& plan, const Contents& contents, const Configuration& configuration,
                 const GivenHeads& given);

}  // namespace attnlaw::checkpoint
