#pragma once
/// One TensorProto of ONNX.

#include <map>
#include <memory>
#include <string>

#include "attnlaw/checkpoint/file/wire.h"
#include "attnlaw/checkpoint/tensor/tensor.h"

namespace attnlaw::checkpoint {

/// Files of external data that are open, by location.
using ExternalFiles = std::map<std::string, std::shared_ptr<const MappedFile>>;

/// Reads a TensorProto. Throws base::FileError for types that ONNX does not have, shapes that are not possible, and
/// data that are missing, stand twice or do not have the size of the shape.
Tensor read_onnx_tensor(const std::shared_ptr<const MappedFile>& model, const WireField& message,
                        ExternalFiles& external);

}  // namespace attnlaw::checkpoint
