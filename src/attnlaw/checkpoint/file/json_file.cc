#include "attnlaw/checkpoint/file/json_file.h"

#include <nlohmann/json.hpp>
#include <set>

#include "attnlaw/checkpoint/file/cursor.h"

namespace attnlaw::checkpoint {
namespace {

using nlohmann::json;

/// Deeper than any header or configuration.
constexpr int kDeepestJson = 64;

/// Follows the parser: refuses depth and repeated keys, hands members of the outermost object on and drops them.
class Members {
 public:
  Members(const std::string& path, const std::function<void(const std::string&, const json&)>& member)
      : path_(path), member_(member) {}

  bool operator()(int depth, json::parse_event_t event, json& parsed) {
    if (depth > kDeepestJson) refuse(path_, "the JSON is nested more than {} levels deep", kDeepestJson);
    switch (event) {
      case json::parse_event_t::object_start:
        open_.emplace_back();
        return true;
      case json::parse_event_t::key:
        if (!open_.back().insert(parsed.get<std::string>()).second)
          refuse(path_, "the key '{}' stands twice", printable(parsed.get<std::string>()));
        if (depth == 1) key_ = parsed.get<std::string>();
        return true;
      case json::parse_event_t::array_start:
        return true;
      case json::parse_event_t::object_end:
        open_.pop_back();
        break;
      default:
        break;
    }
    // The end of an array or object has the depth of what holds it, a bare value that of itself.
    const bool member_ended = depth == 1 && !open_.empty();
    if (member_ended) member_(key_, parsed);
    return !member_ended;
  }

 private:
  const std::string& path_;
  const std::function<void(const std::string&, const json&)>& member_;
  std::vector<std::set<std::string>> open_;
  std::string key_;
};

}  // namespace

void visit_members(const std::string& path, std::string_view text, std::size_t origin,
                   const std::function<void(const std::string&, const json&)>& member) {
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos || text[first] != '{')
    refuse(path, "byte {}: a JSON object must begin here", origin);
  Members members(path, member);
  try {
    [[maybe_unused]] const json emptied = json::parse(
        text, [&](int depth, json::parse_event_t event, json& parsed) { return members(depth, event, parsed); });
  } catch (const json::parse_error& error) {
    // The parser's own message quotes the text, which may hold anything.
    refuse(path, "byte {}: the JSON is broken here", origin + error.byte);
  } catch (const json::exception&) {
    refuse(path, "byte {}: the JSON has a number out of range", origin);
  }
}

json read_json_object(const std::string& path, std::size_t most) {
  const MappedFile file(path);
  if (file.bytes().size() > most) refuse(path, "has {} bytes; at most {} are read", file.bytes().size(), most);
  json document = json::object();
  visit_members(path, text_of(file.bytes()), 0,
                [&](const std::string& key, const json& value) { document[key] = value; });
  return document;
}

}  // namespace attnlaw::checkpoint
