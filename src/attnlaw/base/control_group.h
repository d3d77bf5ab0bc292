#pragma once
/// Reads what the control groups of this process allow it (Linux cgroups, versions 2 and 1). A limit of a group holds
/// for all groups below it, so each answer is the least one on the way up.

#include <cstdint>
#include <string>
#include <string_view>

namespace attnlaw::base {

/// Returns the text of /proc/self/cgroup: the groups that this process belongs to.
std::string control_groups();

/// Returns the least memory limit, in bytes, of the groups listed in `membership` (the text of /proc/self/cgroup) and
/// of their parents, read below `root` (/sys/fs/cgroup); the largest number if there is none.
std::uint64_t control_group_memory(const std::string& root, std::string_view membership);

/// Returns how many processors' time the same groups may use: the least quota divided by its period (cpu.max, or
/// cpu.cfs_quota_us and cpu.cfs_period_us); infinity if there is no quota.
double control_group_processors(const std::string& root, std::string_view membership);

}  // namespace attnlaw::base
