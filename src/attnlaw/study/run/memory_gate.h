#pragma once
/// Tasks at the same time, as many as the memory allows.

#include <condition_variable>
#include <cstdint>
#include <mutex>

#include "attnlaw/study/task.h"

namespace attnlaw::study {

/// Lets tasks in while what they need together stays within a limit; one alone always gets in, and fails by itself if
/// it is too large. For any number of threads.
class MemoryGate {
 public:
  explicit MemoryGate(std::uint64_t bytes) : limit_(bytes) {}

  /// A place behind the gate, left at the end of its life.
  class Place {
   public:
    Place(MemoryGate& gate, std::uint64_t bytes);
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;
    ~Place();

   private:
    MemoryGate& gate_;
    std::uint64_t bytes_;
  };

  /// Waits until the task fits beside those inside.
  Place enter(const Task& task) { return Place(*this, bytes_needed(task)); }

  /// Peak memory of a task in bytes: that of an experiment on one thread, 0 for theory, or where it cannot run anyway.
  static std::uint64_t bytes_needed(const Task& task);

 private:
  std::uint64_t limit_;
  std::mutex mutex_;
  std::condition_variable left_;
  std::uint64_t used_ = 0;
  int inside_ = 0;
};

}  // namespace attnlaw::study
