#include "attnlaw/base/control_group.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <functional>
#include <limits>
#include <optional>
#include <sstream>
#include <vector>

namespace attnlaw::base {
namespace {

namespace fs = std::filesystem;

/// The folders at which a hierarchy may be mounted, and the group of this process in it.
struct Membership {
  std::vector<fs::path> mounts;
  fs::path group;
  bool version2 = false;
};

/// Returns the hierarchies that govern a controller. A line is "number:controllers:/group"; in version 2 the number is
/// 0 and the controllers are empty. Version 1 is mounted under the list of its controllers or the name of one of them.
std::vector<Membership> memberships(const fs::path& root, std::string_view text, const std::string& controller) {
  std::vector<Membership> found;
  std::istringstream lines{std::string(text)};
  for (std::string number, controllers, group;
       std::getline(lines, number, ':') && std::getline(lines, controllers, ':') && std::getline(lines, group);) {
    const fs::path relative = fs::path(group).relative_path();
    if (controllers.empty()) found.push_back({{root, root / "unified"}, relative, true});
    if (("," + controllers + ",").find("," + controller + ",") != std::string::npos)
      found.push_back({{root / controller, root / controllers}, relative, false});
  }
  return found;
}

/// Calls visit(folder) for the group and its parents up to each mount. Inside a container `group` may be a name of the
/// host that does not exist here; then only its parents that do exist count.
void for_each_level(const Membership& membership, const std::function<void(const fs::path&)>& visit) {
  for (const fs::path& mount : membership.mounts) {
    visit(mount);
    for (fs::path group = membership.group; !group.empty(); group = group.parent_path()) visit(mount / group);
  }
}

/// Reads a number that a file begins with; nothing for "max", a missing file and anything else.
template <class Number>
std::optional<Number> number_in_file(const fs::path& file) {
  Number number{};
  return std::ifstream(file) >> number ? std::optional(number) : std::nullopt;
}

/// Returns the processors of a group: the quota of its time over the period; infinity for "max", −1 or no file.
double processors_of(const fs::path& group, bool version2) {
  double quota = 0, period = 0;
  if (version2) {
    std::ifstream(group / "cpu.max") >> quota >> period;
  } else {
    quota = number_in_file<double>(group / "cpu.cfs_quota_us").value_or(0);
    period = number_in_file<double>(group / "cpu.cfs_period_us").value_or(0);
  }
  return quota > 0 && period > 0 ? quota / period : std::numeric_limits<double>::infinity();
}

}  // namespace

std::string control_groups() {
  std::ostringstream text;
  text << std::ifstream("/proc/self/cgroup").rdbuf();
  return std::move(text).str();
}

std::uint64_t control_group_memory(const std::string& root, std::string_view membership) {
  std::uint64_t limit = std::numeric_limits<std::uint64_t>::max();
  for (const Membership& one : memberships(root, membership, "memory")) {
    for_each_level(one, [&](const fs::path& group) {
      const char* file = one.version2 ? "memory.max" : "memory.limit_in_bytes";
      limit = std::min(limit, number_in_file<std::uint64_t>(group / file).value_or(limit));
    });
  }
  return limit;
}

double control_group_processors(const std::string& root, std::string_view membership) {
  double processors = std::numeric_limits<double>::infinity();
  for (const Membership& one : memberships(root, membership, "cpu"))
    for_each_level(
        one, [&](const fs::path& group) { processors = std::min(processors, processors_of(group, one.version2)); });
  return processors;
}

}  // namespace attnlaw::base
