#pragma once
/// Opens weights that are in memory already.

#include <nlohmann/json_fwd.hpp>

#include "attnlaw/checkpoint/file/contents.h"
#include "attnlaw/checkpoint/open.h"

namespace attnlaw::checkpoint {

/// Opens tensors under the names that a checkpoint gives them; `config` has the keys of config.json, or is null. Two
/// tensors "q" and "k" alone are the query and key maps themselves. The bytes must outlive the model. Throws as
/// open_model.
Model open_contents(Contents contents, const nlohmann::json& config, const OpenOptions& options = {});

}  // namespace attnlaw::checkpoint
