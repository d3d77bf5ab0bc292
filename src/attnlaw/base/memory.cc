#include "attnlaw/base/memory.h"

#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <limits>

#include "attnlaw/base/control_group.h"

namespace attnlaw::base {
namespace {

constexpr std::uint64_t kUnlimited = std::numeric_limits<std::uint64_t>::max();

/// Returns the size that a line of /proc/self/status gives in kB, in bytes; 0 if there is no such line.
std::uint64_t mapped_now(const std::string& name) {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;) {
    std::uint64_t kilobytes = 0;
    if (word == name + ":" && status >> kilobytes) return 1024 * kilobytes;
  }
  return 0;
}

/// Returns what a limit leaves beside what this process has already, by a line of /proc/self/status.
std::uint64_t beside(std::uint64_t limit, const char* line) {
  return limit == kUnlimited ? limit : limit - std::min(limit, mapped_now(line));
}

/// Returns what a resource limit leaves.
std::uint64_t left_by(int resource, const char* line) {
  struct rlimit limit;
  if (getrlimit(static_cast<__rlimit_resource_t>(resource), &limit) != 0 || limit.rlim_cur == RLIM_INFINITY)
    return kUnlimited;
  return beside(limit.rlim_cur, line);
}

}  // namespace

std::uint64_t memory_limit() {
  // What this process maps later is work that was admitted under this limit: it must not count twice.
  static const std::uint64_t limit = [] {
    const auto physical =
        static_cast<std::uint64_t>(sysconf(_SC_PHYS_PAGES)) * static_cast<std::uint64_t>(sysconf(_SC_PAGE_SIZE));
    return std::min({physical, beside(control_group_memory("/sys/fs/cgroup", control_groups()), "VmRSS"),
                     left_by(RLIMIT_AS, "VmSize"), left_by(RLIMIT_DATA, "VmData")});
  }();
  return limit;
}

std::string bytes_text(double bytes) {
  constexpr double kStep = 1024;
  static constexpr const char* kUnits[] = {"bytes", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  std::size_t unit = 0;
  // 1023.5 would read 1.02e+03.
  for (; bytes >= kStep - 0.5 && unit + 1 < std::size(kUnits); ++unit) bytes /= kStep;
  if (unit == 0 || bytes >= 100) return fmt::format("{:.0f} {}", bytes, kUnits[unit]);
  return fmt::format("{:.3g} {}", bytes, kUnits[unit]);
}

}  // namespace attnlaw::base
