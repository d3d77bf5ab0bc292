#pragma once
/// What a configuration says of positions and logits.

#include "attnlaw/checkpoint/layout/configuration.h"
#include "attnlaw/checkpoint/layout/plan.h"

namespace attnlaw::checkpoint {

/// The positional scheme of a layer's model, from the configuration, else from the layout.
Positions positions_of(const LayerPlan& plan, const Configuration& configuration, bool gguf);

/// The rotary positions; throws base::FileError for dimensions that exceed those of a head.
Rotary rotary_of(const LayerPlan& plan, const Configuration& configuration, bool gguf);

/// c of the logits c · xᵀ W_Qᵀ W_K y; throws base::FileError unless it is positive.
double logit_scale_of(const LayerPlan& plan, const Configuration& configuration);

}  // namespace attnlaw::checkpoint
