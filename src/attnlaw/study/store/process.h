#pragma once
/// Processes, told apart also when their numbers are used again.

#include <cstdint>
#include <optional>
#include <string>

namespace attnlaw::study {

/// One process, once and for all.
struct Process {
  std::string machine;   ///< host name, boot and PID namespace: where `pid` means something
  std::int64_t pid = 0;  ///< its number
  std::int64_t started =
      0;  ///< clock ticks from the boot to its start: differs from that of an earlier one of its number

  bool operator==(const Process&) const = default;
};

Process this_process();

/// True if a process of this machine still runs (one that was killed does not, even before its parent has noticed);
/// nothing can be said of another machine's.
std::optional<bool> is_alive(const Process& process);

}  // namespace attnlaw::study
