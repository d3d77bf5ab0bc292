#include "attnlaw/base/names.h"

#include <algorithm>
#include <stdexcept>

#include "attnlaw/base/reject.h"

namespace attnlaw::base {

std::string snake_case(std::string_view name) {
  std::string result(name);
  std::replace(result.begin(), result.end(), '-', '_');
  return result;
}

std::string dashed(std::string_view name) {
  std::string result(name);
  std::replace(result.begin(), result.end(), '_', '-');
  return result;
}

const std::string& add_name(std::set<std::string>& names, std::string_view name) {
  const auto [at, added] = names.insert(snake_case(name));
  if (!added) reject("{} stands here twice; with dashes and with underscores it is one name", *at);
  return *at;
}

std::string alternatives(const std::vector<std::string>& words) {
  std::string text;
  for (std::size_t i = 0; i < words.size(); ++i)
    text += (i == 0 ? "" : i + 1 == words.size() ? " or " : ", ") + words[i];
  return text;
}

void throw_nameless() { throw std::logic_error("a value without a name"); }

void throw_unknown_name(std::string_view key, const std::vector<std::string>& accepted, std::string_view name) {
  reject("{} must be {}, got '{}'", key, alternatives(accepted), name);
}

}  // namespace attnlaw::base
