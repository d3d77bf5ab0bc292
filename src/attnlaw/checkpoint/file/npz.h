#pragma once
/// Reads NumPy's archives of arrays (.npz), stored or deflated.

#include <memory>

#include "attnlaw/checkpoint/file/contents.h"

namespace attnlaw::checkpoint {

/// Reads all arrays of an archive; they are unpacked, as the file holds them compressed and with checksums. Throws
/// base::FileError for members that are encrypted, stand twice, have names that are paths out of the archive, fail
/// their checksum or inflate more than a hundredfold.
Contents read_npz(std::shared_ptr<const MappedFile> file);

}  // namespace attnlaw::checkpoint
