#include "attnlaw/base/memory.h"

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <limits>
#include <sstream>
#include <string>

namespace attnlaw::base {
namespace {

constexpr std::uint64_t kUnlimited = std::numeric_limits<std::uint64_t>::max();

/// Reads the number in a file; "max", a missing file and anything else mean no limit.
std::uint64_t number_in(const std::filesystem::path& file) {
  std::uint64_t number = 0;
  return std::ifstream(file) >> number ? number : kUnlimited;
}

/// Returns the least limit of `group` and its parents up to `mount`, as a limit holds for all groups below. Inside a
/// container `group` may be a name of the host that does not exist here; then only its parents that do exist count.
std::uint64_t least_limit(const std::filesystem::path& mount, std::filesystem::path group, const char* file) {
  std::uint64_t limit = number_in(mount / file);
  for (; !group.empty(); group = group.parent_path()) limit = std::min(limit, number_in(mount / group / file));
  return limit;
}

/// Tells whether a comma-separated list has the entry.
bool lists(const std::string& list, const std::string& entry) {
  return ("," + list + ",").find("," + entry + ",") != std::string::npos;
}

}  // namespace

std::uint64_t control_group_limit(const std::string& root, std::string_view membership) {
  std::uint64_t limit = kUnlimited;
  // A line is "number:controllers:/group"; in v2 the number is 0 and the controllers are empty.
  std::istringstream lines{std::string(membership)};
  for (std::string number, controllers, group;
       std::getline(lines, number, ':') && std::getline(lines, controllers, ':') && std::getline(lines, group);) {
    const std::filesystem::path relative = std::filesystem::path(group).relative_path();
    if (controllers.empty()) limit = std::min(limit, least_limit(root, relative, "memory.max"));
    if (lists(controllers, "memory")) {
      limit = std::min(limit, least_limit(std::filesystem::path(root) / "memory", relative, "memory.limit_in_bytes"));
    }
  }
  return limit;
}

std::uint64_t memory_limit() {
  const auto physical =
      static_cast<std::uint64_t>(sysconf(_SC_PHYS_PAGES)) * static_cast<std::uint64_t>(sysconf(_SC_PAGE_SIZE));
  std::ostringstream membership;
  membership << std::ifstream("/proc/self/cgroup").rdbuf();
  return std::min(physical, control_group_limit("/sys/fs/cgroup", membership.str()));
}

}  // namespace attnlaw::base
