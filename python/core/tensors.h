#pragma once
/// Weights in memory: arrays of NumPy and tensors of torch, looked at where they lie.

#include <nanobind/nanobind.h>

#include "attnlaw/checkpoint/file/contents.h"

namespace attnlaw::python {

/// The contents of a list of (name, type as safetensors spells it, shape, bytes as an array of uint8). Nothing is
/// copied: the arrays must outlive what is returned.
checkpoint::Contents contents_of(nanobind::list tensors);

}  // namespace attnlaw::python
