#pragma once
/// Reads the weights of ONNX models.

#include <memory>

#include "attnlaw/checkpoint/file/contents.h"

namespace attnlaw::checkpoint {

/// Reads the initialisers and the Constant nodes of the graph and of the graphs inside its nodes (If, Loop, Scan); data
/// may lie in the message or in files of the folder. The second input of MatMul, and of Gemm without transB, is [in,
/// out]. Weights that the exporter left without a name ("onnx::MatMul_1234") are known as the node that uses them.
/// Throws base::FileError with byte or tensor for everything that is malformed.
Contents read_onnx(std::shared_ptr<const MappedFile> file);

}  // namespace attnlaw::checkpoint
