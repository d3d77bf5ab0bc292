#pragma once
/// Reads GGUF, versions 2 and 3, little-endian.

#include <memory>

#include "attnlaw/checkpoint/file/contents.h"

namespace attnlaw::checkpoint {

/// Reads metadata and table of tensors; shapes have the slowest axis first, as elsewhere here. Arrays of texts are
/// walked through, those of numbers kept up to 65536. Throws base::FileError, with the byte, for everything that is
/// malformed, and for one part of a split model.
Contents read_gguf(std::shared_ptr<const MappedFile> file);

}  // namespace attnlaw::checkpoint
