#pragma once
/// Chooses the task of a study that is next.

#include <cstddef>
#include <optional>
#include <vector>

#include "attnlaw/study/study.h"

namespace attnlaw::study {

/// The order of tasks. A family is a task that waits for no other and all that follow it: families are offered and
/// admitted as a whole, the one with the most work first; of what is admitted, the task with the longest chain behind
/// it comes first. A plain state machine without threads.
class Schedule {
 public:
  /// `finished`: tasks that need not be computed.
  Schedule(const Study& study, const std::vector<bool>& finished);

  /// A family that is neither admitted nor deferred, its root first; empty if there is none.
  std::vector<std::size_t> offer();
  /// The offered task may be computed.
  void admit(const std::vector<std::size_t>& family);
  /// The offered task is put aside, until somebody finishes it elsewhere or it is offered again.
  void defer(const std::vector<std::size_t>& family);
  /// Puts all deferred families on offer again, but for the tasks that are finished by now.
  void renew(const std::vector<bool>& finished);

  /// The next admitted task, which is then running; nothing if none is ready now.
  std::optional<std::size_t> next();
  /// The task that next() would give.
  std::optional<std::size_t> peek() const;
  /// A running task is done.
  void finish(std::size_t task);
  /// A running task was not done: it is ready again.
  void give_back(std::size_t task);

  /// Tasks that may be started now.
  std::size_t ready() const { return ready_.size(); }
  std::size_t running() const { return running_; }
  /// Families that offer() has not given yet.
  std::size_t on_offer() const { return roots_.size(); }
  /// Tasks of deferred families.
  const std::vector<std::size_t>& deferred() const { return deferred_; }
  /// Admitted or on offer, and not done.
  bool anything_left() const { return running_ > 0 || !ready_.empty() || !roots_.empty(); }
  /// Tells whether a task has followers that are not done.
  bool is_needed(std::size_t task) const;
  /// Estimated work that is not done, and that there was at the beginning (estimated_seconds).
  double work_left() const { return work_left_; }
  double work_total() const { return work_total_; }

 private:
  struct Node {
    bool done = false;
    double work = 0;
    double urgency = 0;  ///< work of this task and of the longest chain behind it
    std::optional<std::size_t> predecessor;
    std::vector<std::size_t> followers;
  };
  struct Entry {
    double urgency;
    std::size_t task;
    bool operator<(const Entry& other) const {
      return urgency < other.urgency || (urgency == other.urgency && task > other.task);
    }
  };
  using Heap = std::vector<Entry>;
  void push(Heap& heap, std::size_t task) const;
  static std::size_t pop(Heap& heap);
  bool is_root(std::size_t task) const;

  std::vector<Node> nodes_;
  Heap roots_;  ///< on offer
  Heap ready_;
  std::vector<std::size_t> deferred_;
  std::size_t running_ = 0;
  double work_left_ = 0, work_total_ = 0;
};

}  // namespace attnlaw::study
