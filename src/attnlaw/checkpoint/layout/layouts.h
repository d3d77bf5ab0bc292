#pragma once
/// The table of layouts: how families of models name and store the maps of their heads.

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "attnlaw/checkpoint/layout/positions.h"

namespace attnlaw::checkpoint {

/// How queries, keys and values share a tensor. H query heads, G key heads, head dimension m.
enum class Fusing {
  separate,  ///< a tensor each
  blocks,    ///< H·m rows of queries, G·m of keys, G·m of values
  per_head,  ///< [H, 3, m]: for each head its queries, keys, values
  groups     ///< [G, H/G + 2, m]: for each group its queries, its keys, its values
};

enum class Storage {
  output_first,  ///< [out, in], as nn.Linear
  input_first,   ///< [in, out], as the Conv1D of GPT-2
  heads_first    ///< [H, in, m], and [H, m, out] for the output map
};

/// The normalisation in front of queries and keys.
enum class Norm {
  unknown,       ///< whether it stands before or behind the residual sum is not in the file
  behind,        ///< behind the residual sum: its gain cannot be folded across the sum
  by_bias,       ///< a layer norm if the tensor has a bias, otherwise of the root mean square
  layer,         ///< a layer norm, which centres
  rms,           ///< divides by the root mean square
  rms_plus_one,  ///< the same with gain 1 + weight
};

/// Names are patterns: {} stands for the number of the layer, and any prefix of whole components may precede; without
/// {} the last number of the prefix is that of the layer. Several names are separated by |; those of queries, keys and
/// values correspond by their place.
struct Layout {
  std::string_view name = {};
  /// The values of model_type (or of GGUF's general.architecture) that mean this row, separated by blanks.
  std::string_view models = {};
  /// What stands before the names of the four maps.
  std::string_view stem = {};
  std::string_view query = {};
  std::string_view key = {};
  std::string_view value = {};
  /// The tensor that has all three instead.
  std::string_view fused = {};
  /// With the stem of its own.
  std::string_view output = {};
  std::string_view norm = {};
  Fusing fusing = Fusing::separate;
  Storage storage = Storage::output_first;
  Norm norm_kind = Norm::by_bias;
  Positions positions = Positions::unknown;
  /// Rotary planes are pairs of neighbours.
  bool interleaved = false;
  /// Keys come from another residual stream.
  bool cross = false;
  /// Logits are not divided by √m.
  bool unscaled = false;
};

/// The rows; where several fit equally well the first one counts.
std::span<const Layout> layouts();

/// The names of the rows, without repetition, for options and messages.
std::vector<std::string> layout_names();

/// Whether a list of words separated by blanks has the word.
bool has_word(std::string_view words, std::string_view word);

/// A name taken apart by a pattern.
struct Match {
  bool found = false;
  /// What precedes the pattern, with its dot.
  std::string_view prefix;
  int layer = 0;
};

/// Matches a name with a pattern as described above.
Match match(std::string_view pattern, std::string_view name);

/// Returns the pattern with the number of a layer for {}.
std::string with_layer(std::string_view pattern, int layer);

}  // namespace attnlaw::checkpoint
