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

/// The number in a file; "max", a missing file and anything else mean no limit.
std::uint64_t number_in(const std::filesystem::path& file) {
  std::uint64_t number = 0;
  return std::ifstream(file) >> number ? number : kUnlimited;
}

/// Limits hold for all groups below: the least of `group` and its parents up to `mount`. Inside a container `group` may
/// be a name of the host that does not exist here; the parents that do are what is known.
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
  // Lines "number:controllers:/group"; v2 has number 0 and no controllers.
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
