#include "attnlaw/study/store/process.h"

#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>

namespace attnlaw::study {
namespace {

std::string first_line(const std::string& path) {
  std::string line;
  std::getline(std::ifstream(path), line);
  return line;
}

/// Two containers may share a host name, two boots a count of ticks.
std::string this_machine() {
  std::array<char, 256> name{};
  gethostname(name.data(), name.size() - 1);
  std::error_code unknown;
  const std::string pids = std::filesystem::read_symlink("/proc/self/ns/pid", unknown).string();
  return fmt::format("{} {} {}", name.data(), first_line("/proc/sys/kernel/random/boot_id"), pids);
}

struct Status {
  char state = 0;
  std::int64_t started = 0;
};

/// Reads /proc/PID/stat (proc(5)): the name of the program in brackets, then the state, 18 numbers, the start time.
std::optional<Status> status_of(std::int64_t pid) {
  const std::string line = first_line(fmt::format("/proc/{}/stat", pid));
  const std::size_t bracket = line.rfind(')');
  if (bracket == std::string::npos) return std::nullopt;
  constexpr int kBetween = 18;
  std::istringstream fields(line.substr(bracket + 1));
  Status status;
  std::string skipped;
  fields >> status.state;
  for (int i = 0; i < kBetween; ++i) fields >> skipped;
  fields >> status.started;
  return fields ? std::optional(status) : std::nullopt;
}

}  // namespace

Process this_process() {
  const std::int64_t pid = getpid();
  return {this_machine(), pid, status_of(pid).value_or(Status{}).started};
}

std::optional<bool> is_alive(const Process& process) {
  if (process.machine != this_machine()) return std::nullopt;
  if (const auto status = status_of(process.pid))
    return status->started == process.started && status->state != 'Z' && status->state != 'X';
  // A system may hide the processes of others in /proc.
  return kill(static_cast<pid_t>(process.pid), 0) == 0 || errno == EPERM;
}

}  // namespace attnlaw::study
