#pragma once
/// Reads safetensors: a header of JSON, then the numbers.

#include <memory>
#include <string>

#include "attnlaw/checkpoint/file/contents.h"

namespace attnlaw::checkpoint {

/// Reads the header of one file: 8 bytes of length, a JSON object of name → {dtype, shape, data_offsets}, and tensors
/// that fill the rest of the file without gaps or overlaps. Metadata that are no texts are left out, with a note.
/// Throws base::FileError for everything else.
Contents read_safetensors(std::shared_ptr<const MappedFile> file);

/// Reads the shards that an index (model.safetensors.index.json) names, in its folder; other files there are not read.
/// Throws base::FileError if a shard is missing, lacks a tensor of the index or lies outside the folder; to keep going,
/// only if that is so for all of them, others being skipped with the reason.
Contents read_sharded_safetensors(const std::string& index, bool keep_going);

/// Returns the path of a file that another one names, in its folder or below. Throws base::FileError for names that are
/// empty, absolute, that go up or have a backslash, and for links out of the folder; links are followed where the
/// naming file is itself a link into the same tree (the cache of a model hub).
std::string beside(const std::string& file, const std::string& name);

}  // namespace attnlaw::checkpoint
