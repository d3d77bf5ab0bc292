#pragma once
/// Reads the JSON of checkpoints: headers, indices, configurations.

#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

namespace attnlaw::checkpoint {

/// Hands the members of the object that `text` is to `member`, one by one, so that a header of a million tensors is
/// never whole in memory. Throws base::FileError, with the path and the offset from `origin`, for text that is no JSON
/// object in UTF-8, deeper than 64 levels or that has a key twice, at any level.
void visit_members(const std::string& path, std::string_view text, std::size_t origin,
                   const std::function<void(const std::string& key, const nlohmann::json& value)>& member);

/// Reads a JSON file whose document is an object. Throws base::FileError as visit_members does, and for files of more
/// than `most` bytes.
nlohmann::json read_json_object(const std::string& path, std::size_t most);

}  // namespace attnlaw::checkpoint
