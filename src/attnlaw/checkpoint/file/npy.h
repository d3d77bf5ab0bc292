#pragma once
/// Reads NumPy's arrays (.npy, versions 1.0 to 3.0).

#include <memory>
#include <string>

#include "attnlaw/checkpoint/file/contents.h"

namespace attnlaw::checkpoint {

/// Reads the header of an array whose bytes are `bytes`, and places its numbers in them. `where` names the array in
/// messages. Floats of 2, 4 and 8 bytes, little-endian, are read as weights, whole numbers and truth values listed;
/// objects (pickles), texts and big-endian numbers are refused. Throws base::FileError.
Tensor read_npy_array(const std::string& where, Bytes bytes);

/// Reads a file, whose tensor has the name of the file without its extension.
Contents read_npy(std::shared_ptr<const MappedFile> file);

}  // namespace attnlaw::checkpoint
