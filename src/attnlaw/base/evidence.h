#pragma once
/// Says what the figures of a result rest on.

#include <span>

#include "attnlaw/base/names.h"

namespace attnlaw::base {

/// From the strongest to the weakest; a result has the level of its weakest step. Numerical errors are not meant: they
/// are stated beside the figures.
enum class Evidence {
  theorem,    ///< proved, under the conditions of the source that the docs name
  derived,    ///< from a convex problem or a known law by steps that are proved in like cases, held against simulations
  heuristic,  ///< by the methods of statistical physics alone, held against simulations
  simulated   ///< measured in drawn samples of finite size
};
std::span<const Named<Evidence>> names_table(Evidence);

}  // namespace attnlaw::base
