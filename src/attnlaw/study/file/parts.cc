#include "attnlaw/study/file/parts.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>
#include <map>

#include "attnlaw/base/fields/fields.h"
#include "attnlaw/study/file/keys.h"

namespace attnlaw::study {
namespace {

using base::TomlEntry;
using base::TomlValue;

/// `over` laid over `under`: tables key by key, anything else replaced. The line is that of `over`.
TomlValue merged(const TomlValue& under, const TomlValue& over) {
  if (!under.is_table() || !over.is_table()) return over;
  TomlValue result = under;
  result.line = over.line;
  for (const TomlEntry& entry : over.entries) {
    const auto same = std::find_if(result.entries.begin(), result.entries.end(),
                                   [&](const TomlEntry& other) { return other.key == entry.key; });
    if (same == result.entries.end())
      result.entries.push_back(entry);
    else
      same->value = merged(same->value, entry.value);
  }
  return result;
}

const base::Description& part_keys() { return describe(static_cast<const PartKeys*>(nullptr)); }

/// The keys of a table that describe a part.
TomlValue description_in(const TomlValue& table) {
  TomlValue result;
  result.line = table.line;
  for (const TomlEntry& entry : table.entries)
    if (find_field(part_keys(), entry.key)) result.entries.push_back(entry);
  return result;
}

/// `under`, then what `table` says, then its `fast`.
TomlValue described(const SourceFile& file, const TomlValue& under, const TomlValue& table, bool fast) {
  TomlValue result = merged(under, description_in(table));
  const TomlValue* overrides = table.find("fast");
  if (!overrides) return result;
  require_keys(file, table_of(file, "fast", *overrides), "fast", field_names(part_keys()));
  if (fast) result = merged(result, *overrides);
  result.line = table.line;
  return result;
}

/// A [[part]] with its own keys.
struct Member : PartTableKeys {
  const TomlValue* table = nullptr;
};

Member read_member(const SourceFile& file, const TomlValue& part) {
  Member member{{}, &part};
  read_table(file, part, base::detail::description_of<PartTableKeys>(), &member, "a [[part]]");
  const auto usable = [](unsigned char c) { return std::isalnum(c) || c == '-' || c == '_'; };
  if (member.name.empty() || !std::all_of(member.name.begin(), member.name.end(), usable))
    file.reject(part.find("name")->line, "name of a part must be letters, digits, - and _, got '{}'", member.name);
  return member;
}

/// Follows `like` from part to part.
class Family {
 public:
  Family(const SourceFile& file, const TomlValue& parts, TomlValue root, bool fast)
      : file_(file), root_(std::move(root)), fast_(fast) {
    for (const TomlValue& part : parts.items) add(part);
  }

  std::vector<PartTable> resolved() const {
    std::vector<PartTable> result;
    for (const std::string& name : names_) result.push_back({name, resolve(name, {})});
    return result;
  }

 private:
  void add(const TomlValue& part) {
    const Member member = read_member(file_, part);
    if (const auto [at, added] = members_.emplace(member.name, member); !added)
      file_.reject(part.find("name")->line, "a part named '{}' is there already, at line {}", member.name,
                   at->second.table->find("name")->line);
    names_.push_back(member.name);
  }

  /// `descendants`: the parts that are like this one, youngest first.
  TomlValue resolve(const std::string& name, std::vector<std::string> descendants) const {
    const Member& part = members_.at(name);
    const TomlValue* like = part.table->find("like");
    if (!like) return described(file_, root_, *part.table, fast_);
    descendants.push_back(name);
    require_ancestor(part.like, like->line, descendants);
    return described(file_, resolve(part.like, descendants), *part.table, fast_);
  }

  void require_ancestor(const std::string& parent, int line, const std::vector<std::string>& descendants) const {
    file_.placed(line, "",
                 [&] { base::require_among(parent, names_, fmt::format("like = '{}' is not a part", parent)); });
    const auto first = std::find(descendants.begin(), descendants.end(), parent);
    if (first != descendants.end())
      file_.reject(line, "a part cannot be like itself: {} → {}",
                   fmt::join(std::vector(first, descendants.end()), " → "), parent);
  }

  const SourceFile& file_;
  TomlValue root_;
  bool fast_;
  std::vector<std::string> names_;
  std::map<std::string, Member> members_;
};

void require_parts_alone(const SourceFile& file, const TomlValue& document) {
  for (const auto& [key, value] : document.entries)
    if (key == "fast" || (key != "problem" && find_field(part_keys(), key)))
      file.reject(value.line, "{} stands at top level beside [[part]]; move it into the parts it is meant for", key);
}

}  // namespace

std::vector<PartTable> resolve_parts(const SourceFile& file, const TomlValue& document, const std::string& study_name,
                                     bool fast) {
  const TomlValue* parts = document.find("part");
  if (!parts) return {{study_name, described(file, TomlValue{}, document, fast)}};
  if (!parts->is_array() || parts->items.empty())
    file.reject(parts->line, "parts are written [[part]], one or more of them, got {}", parts->described());
  require_parts_alone(file, document);
  return Family(file, *parts, description_in(document), fast).resolved();
}

}  // namespace attnlaw::study
