#include "attnlaw/study/run/runner.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <map>
#include <mutex>
#include <thread>
#include <utility>

#include "attnlaw/base/interrupt.h"
#include "attnlaw/base/linear_algebra.h"
#include "attnlaw/base/memory.h"
#include "attnlaw/base/parallel.h"
#include "attnlaw/base/thread.h"
#include "attnlaw/study/run/memory_gate.h"
#include "attnlaw/study/run/schedule.h"

namespace attnlaw::study {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

/// The interval at which the run looks after itself.
constexpr auto kTick = milliseconds(100);
constexpr auto kProgressInterval = milliseconds(1000);
constexpr auto kHeartbeatInterval = milliseconds(5000);
/// Storing takes at most this share of the time as long as there is other work to be done…
constexpr int kStoringShare = 50;
/// …but no finished task waits longer to be stored.
constexpr auto kLongestWait = milliseconds(100);
/// Families that are claimed before they are needed, per worker, while tasks are short.
constexpr std::size_t kReadyPerWorker = 32;

double seconds_since(Clock::time_point begin) { return std::chrono::duration<double>(Clock::now() - begin).count(); }

/// One run. Workers take tasks and leave outcomes, in threads of their own; the thread that calls run() alone talks to
/// the store: it claims, stores and reports.
class Run {
 public:
  Run(const Study& study, Store& store, const RunOptions& options)
      : study_(study),
        store_(store),
        options_(options),
        local_workers_(base::thread_count(options.threads)),
        memory_(base::memory_limit()),
        keys_(keys_of(study)),
        finished_(store.has(keys_, !options.retry_failed)),
        schedule_(study, finished_) {
    progress_.total = study.tasks.size();
    progress_.reused = static_cast<std::size_t>(std::count(finished_.begin(), finished_.end(), true));
  }

  RunProgress run() {
    base::use_one_blas_thread();
    const Ending ending{*this};
    alive_ = static_cast<std::size_t>(local_workers_) + options_.remote_workers.size();
    for (int i = 0; i < local_workers_; ++i)
      threads_.push_back(base::start_thread([this] {
        work(true, [this](const Task& task, const Outcome* predecessor, int threads) {
          const MemoryGate::Place place = memory_.enter(task);
          return options_.compute(task, predecessor, threads);
        });
      }));
    for (const Worker& worker : options_.remote_workers)
      threads_.push_back(base::start_thread([this, &worker] {
        work(false, [&](const Task& task, const Outcome* predecessor, int) { return worker(task, predecessor); });
      }));
    manage();
    return progress_;
  }

 private:
  struct Done {
    std::size_t task;
    Outcome outcome;
  };

  /// Whatever ends the run, the workers must see it before they are joined.
  struct Ending {
    Run& run;
    ~Ending() {
      const std::lock_guard lock(run.mutex_);
      run.ending_ = true;
      run.changed_.notify_all();
    }
  };

  static std::vector<std::string> keys_of(const Study& study) {
    std::vector<std::string> keys;
    for (const PlannedTask& planned : study.tasks) keys.push_back(planned.key);
    return keys;
  }

  std::vector<std::string> keys_at(const std::vector<std::size_t>& tasks) const {
    std::vector<std::string> keys;
    for (const std::size_t i : tasks) keys.push_back(keys_[i]);
    return keys;
  }

  const Task& task(std::size_t i) const { return study_.tasks[i].task; }

  // ---- workers ------------------------------------------------------------------------------------------------------

  struct Assignment {
    std::size_t task = 0;
    int threads = 1;
    bool local = true;
  };

  /// Waits for a task; nothing once the run is ending.
  std::optional<Assignment> take(bool local) {
    std::unique_lock lock(mutex_);
    std::optional<std::size_t> task;
    changed_.wait(lock, [&] { return ending_ || (!halted() && (task = schedule_.next()).has_value()); });
    wanted_.notify_one();
    if (!task) return std::nullopt;
    local_running_ += local;
    const std::size_t waiting = schedule_.ready() + schedule_.on_offer();
    return Assignment{*task, threads_for(local_workers_, local_running_, waiting, options_.remote_workers.size()),
                      local};
  }

  template <class Compute>
  void work(bool local, const Compute& compute) {
    while (const auto assignment = take(local)) {
      try {
        const std::shared_ptr<const Outcome> predecessor = predecessor_of(assignment->task);
        leave(*assignment, compute(task(assignment->task), predecessor.get(), assignment->threads));
      } catch (const WorkerLost&) {
        return lose(*assignment);
      } catch (const base::Interrupted&) {
        if (!stopped()) return fail(std::current_exception());
        return leave_undone(*assignment);
      } catch (...) {
        return fail(std::current_exception());
      }
    }
  }

  void lose(const Assignment& assignment) {
    const std::lock_guard lock(mutex_);
    local_running_ -= assignment.local;
    schedule_.give_back(assignment.task);
    ++progress_.lost_workers;
    --alive_;
    changed_.notify_all();
  }

  void leave_undone(const Assignment& assignment) {
    const std::lock_guard lock(mutex_);
    local_running_ -= assignment.local;
    schedule_.give_back(assignment.task);
    wanted_.notify_one();
  }

  void fail(const std::exception_ptr& failure) {
    const std::lock_guard lock(mutex_);
    if (!failure_) failure_ = failure;
    wanted_.notify_one();
  }

  std::shared_ptr<const Outcome> predecessor_of(std::size_t i) {
    const auto& predecessor = study_.tasks[i].predecessor;
    if (!predecessor) return nullptr;
    {
      const std::lock_guard lock(mutex_);
      if (const auto known = needed_.find(*predecessor); known != needed_.end()) return known->second;
    }
    const std::optional<Outcome> stored = store_.find(keys_[*predecessor]);
    return stored ? std::make_shared<const Outcome>(*stored) : nullptr;
  }

  void leave(const Assignment& assignment, Outcome outcome) {
    const std::lock_guard lock(mutex_);
    local_running_ -= assignment.local;
    schedule_.finish(assignment.task);
    if (schedule_.is_needed(assignment.task)) needed_[assignment.task] = std::make_shared<const Outcome>(outcome);
    const auto& predecessor = study_.tasks[assignment.task].predecessor;
    if (predecessor && !schedule_.is_needed(*predecessor)) needed_.erase(*predecessor);
    done_.push_back({assignment.task, std::move(outcome)});
    changed_.notify_all();
    wanted_.notify_one();
  }

  // ---- the thread of the store --------------------------------------------------------------------------------------

  bool stopped() const { return options_.stop && *options_.stop; }

  bool halted() const { return ending_ || stopped() || seconds_since(begin_) > options_.max_seconds; }

  void manage() {
    std::unique_lock lock(mutex_);
    report();
    for (;;) {
      if (failure_) {
        store_done(lock);
        std::rethrow_exception(failure_);
      }
      if (stopped() && !std::exchange(stop_reported_, true)) report();
      if (!halted()) admit_families(lock);
      const bool stored = store_done(lock);
      look_after(lock);
      if (stored) continue;
      if (over()) break;
      wanted_.wait_for(lock, kTick);
    }
    report();
  }

  bool over() const {
    if (!done_.empty() || schedule_.running() > 0) return false;
    return halted() || (!schedule_.anything_left() && schedule_.deferred().empty());
  }

  void admit_families(std::unique_lock<std::mutex>& lock) {
    while (schedule_.ready() < wanted_ready()) {
      const std::vector<std::size_t> family = schedule_.offer();
      if (family.empty()) return;
      lock.unlock();
      const bool ours = claim(family);
      lock.lock();
      if (ours)
        schedule_.admit(family);
      else
        schedule_.defer(family);
      changed_.notify_all();
    }
  }

  /// Enough that no worker waits for a claim, but no more than that: others may share the study.
  std::size_t wanted_ready() const {
    constexpr double kShort = 0.1;  // seconds
    const bool are_short = progress_.done > 0 && computing_ / static_cast<double>(progress_.done) < kShort;
    return alive_ * (are_short ? kReadyPerWorker : 1);
  }

  /// All of a family or none of it. What somebody else has stored meanwhile is not ours to compute either.
  bool claim(const std::vector<std::size_t>& family) {
    const std::vector<std::string> keys = keys_at(family);
    const std::vector<bool> taken = store_.claim(keys);
    std::vector<std::string> ours;
    for (std::size_t i = 0; i < keys.size(); ++i)
      if (taken[i]) ours.push_back(keys[i]);
    const std::vector<bool> stored = store_.has(keys, !options_.retry_failed);
    if (ours.size() == keys.size() && std::none_of(stored.begin(), stored.end(), [](bool s) { return s; })) return true;
    store_.release(ours);
    return false;
  }

  /// Stores what is done, unless it can wait; true if something was stored.
  bool store_done(std::unique_lock<std::mutex>& lock) {
    const bool busy = schedule_.ready() > 0 && schedule_.running() > 0;
    if (done_.empty() || (busy && Clock::now() < next_storing_)) return false;
    std::vector<Done> batch = std::exchange(done_, {});
    lock.unlock();
    const auto begin = Clock::now();
    std::vector<Store::Entry> entries;
    std::vector<std::string> keys;
    for (Done& done : batch) {
      keys.push_back(keys_[done.task]);
      entries.push_back({keys_[done.task], code_version(), task(done.task), std::move(done.outcome)});
    }
    store_.put(entries);
    store_.release(keys);
    const auto end = Clock::now();
    next_storing_ = end + std::min<Clock::duration>(kStoringShare * (end - begin), kLongestWait);
    lock.lock();
    for (const Store::Entry& entry : entries) count(entry.outcome);
    report();
    return true;
  }

  void count(const Outcome& outcome) {
    ++progress_.done;
    progress_.failed += outcome.status == Outcome::Status::failed;
    progress_.unconverged += outcome.status == Outcome::Status::unconverged;
    computing_ += outcome.seconds;
  }

  void look_after(std::unique_lock<std::mutex>& lock) {
    const auto now = Clock::now();
    if (now >= next_heartbeat_) {
      next_heartbeat_ = now + kHeartbeatInterval;
      lock.unlock();
      store_.heartbeat();
      lock.lock();
    }
    if (now < next_report_) return;
    next_report_ = now + kProgressInterval;
    renew_deferred(lock);
    report();
  }

  /// Looks again at deferred tasks, which another run may have finished, or left when it died.
  void renew_deferred(std::unique_lock<std::mutex>& lock) {
    if (schedule_.deferred().empty()) return;
    const std::vector<std::size_t> tasks = schedule_.deferred();
    const std::vector<std::string> keys = keys_at(tasks);
    lock.unlock();
    const std::vector<bool> stored = store_.has(keys, !options_.retry_failed);
    lock.lock();
    for (std::size_t k = 0; k < tasks.size(); ++k) {
      if (!stored[k]) continue;
      finished_[tasks[k]] = true;
      ++progress_.reused;
    }
    schedule_.renew(finished_);
  }

  void report() {
    progress_.running = schedule_.running();
    progress_.elsewhere = schedule_.deferred().size();
    progress_.seconds = seconds_since(begin_);
    const double work_done = schedule_.work_total() - schedule_.work_left();
    if (work_done > 0) progress_.seconds_left = progress_.seconds * schedule_.work_left() / work_done;
    if (options_.progress) options_.progress(progress_);
  }

  const Study& study_;
  Store& store_;
  const RunOptions& options_;
  const int local_workers_;
  MemoryGate memory_;  ///< the memory of this process
  const std::vector<std::string> keys_;
  std::vector<bool> finished_;
  const Clock::time_point begin_ = Clock::now();

  std::mutex mutex_;                 ///< guards all below, but what the thread of the store alone uses
  std::condition_variable changed_;  ///< for workers
  std::condition_variable wanted_;   ///< for the thread of the store
  Schedule schedule_;
  std::map<std::size_t, std::shared_ptr<const Outcome>> needed_;  ///< outcomes that others wait for
  std::vector<Done> done_;                                        ///< not stored yet
  int local_running_ = 0;                                         ///< tasks of this process
  bool ending_ = false;
  std::exception_ptr failure_;
  std::size_t alive_ = 0;  ///< workers
  RunProgress progress_;

  // The thread of the store owns these.
  double computing_ = 0;  ///< seconds that tasks took
  bool stop_reported_ = false;
  Clock::time_point next_storing_ = begin_, next_report_ = begin_, next_heartbeat_ = begin_;
  std::vector<std::jthread> threads_;  ///< last: joined first
};

}  // namespace

int threads_for(int workers, int running, std::size_t waiting, std::size_t remote_workers) {
  if (remote_workers > 0 && waiting > 0) return 1;
  const std::size_t tasks = static_cast<std::size_t>(running) + waiting;
  return std::max(1, workers / static_cast<int>(std::clamp<std::size_t>(tasks, 1, static_cast<std::size_t>(workers))));
}

RunProgress run(const Study& study, Store& store, const RunOptions& options) {
  return Run(study, store, options).run();
}

Outcomes outcomes(const Study& study, const Store& store, bool with_arrays) {
  Outcomes found;
  for (const PlannedTask& planned : study.tasks) found.push_back(store.find(planned.key, with_arrays));
  return found;
}

}  // namespace attnlaw::study
