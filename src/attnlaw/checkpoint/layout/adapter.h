#pragma once
/// Adapters of low rank as PEFT stores them.

#include <string>

#include "attnlaw/checkpoint/file/contents.h"

namespace attnlaw::checkpoint {

/// Returns the weights of an adapter: for each pair lora_A, lora_B a tensor of the name that the adapted weight has in
/// its model, which is scale · B A added to the tensor of `base`, or, without a base, alone. All other tensors of the
/// base are there too. `config` is adapter_config.json. Throws base::FileError for adapters of other kinds (DoRA,
/// AdaLoRA, ...), for halves without a partner, for shapes that do not fit, and for weights that the base does not
/// have.
Contents with_adapter(const Contents& adapter, const std::string& config, const Contents* base);

}  // namespace attnlaw::checkpoint
