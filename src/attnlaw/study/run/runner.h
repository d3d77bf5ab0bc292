#pragma once
/// Runs the tasks of a study over workers into a store.

#include <atomic>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "attnlaw/base/describe.h"
#include "attnlaw/study/store/store.h"
#include "attnlaw/study/study.h"

namespace attnlaw::study {

/// The worker cannot go on: its task is given to another one.
struct WorkerLost : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Computes tasks elsewhere, one after the other; called from a thread of its own. Throws WorkerLost if it cannot go
/// on.
using Worker = std::function<Outcome(const Task& task, const Outcome* predecessor)>;

struct RunProgress {
  std::size_t total = 0;        ///< tasks of the study
  std::size_t reused = 0;       ///< were in the store before
  std::size_t done = 0;         ///< computed in this run, failures included
  std::size_t failed = 0;       ///< those of them that threw
  std::size_t unconverged = 0;  ///< those of them with figures that did not converge
  std::size_t running = 0;
  std::size_t elsewhere = 0;     ///< left to another run on this store
  std::size_t lost_workers = 0;  ///< remote workers that went away; their tasks were given to others
  double seconds = 0;            ///< since the beginning
  double seconds_left = std::numeric_limits<double>::quiet_NaN();  ///< estimated; NaN: unknown yet

  std::size_t left() const { return total - reused - done; }
  bool complete() const { return left() == 0; }
};
const base::Description& describe(const RunProgress*);

struct RunOptions {
  /// Beside those of this process, one for each of its threads.
  std::vector<Worker> remote_workers;
  int threads = 0;                                               ///< the threads of this process, 0: all available
  double max_seconds = std::numeric_limits<double>::infinity();  ///< no task is started later
  bool retry_failed = false;                                     ///< tasks that failed in an earlier run
  /// No task is started once this is true, and those that base::Interrupted ends are left as if they had never begun.
  const std::atomic<bool>* stop = nullptr;
  /// The function that computes a task in this process.
  std::function<Outcome(const Task& task, const Outcome* predecessor, int threads)> compute = perform;
  /// Called after every task and every second or so in between, one call at a time.
  std::function<void(const RunProgress&)> progress;
};

/// Computes what the store does not hold yet. The store holds a result as soon as its task is done. Tasks are started
/// with the most expensive first, chains of predecessors in order; where there are fewer tasks than threads, a task
/// gets several. Tasks that another run on this store is computing are left to it and waited for. Throws StoreError if
/// a result cannot be stored.
RunProgress run(const Study& study, Store& store, const RunOptions& options);

/// Threads of a task that begins: the `workers` of this process divided among its `running` tasks (this one included)
/// and those that wait to be started; what waits may go to remote workers instead.
int threads_for(int workers, int running, std::size_t waiting, std::size_t remote_workers);

/// The results of a study that the store holds.
Outcomes outcomes(const Study& study, const Store& store, bool with_arrays = true);

}  // namespace attnlaw::study
